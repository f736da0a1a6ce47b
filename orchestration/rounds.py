"""Every table is compared with its source again and again, beside the sensors' turns: a large one would keep them waiting."""

import time
from collections import deque
from collections.abc import Iterator
from threading import Thread

import dagster as dg

from orchestration.assets import health_result
from orchestration.catalogue import Catalogue
from orchestration.certificates import EQUAL, Key, enter
from orchestration.checks import look
from orchestration.fencing import Behind
from orchestration.freshness import read_age
from orchestration.verifying import verify
from project.resources import Health, Refused, Resource, State

_SHARE = 0.01  # of the time may go into comparing a table
_REST = 60.0  # seconds, at least, between two comparisons of a table that were made
_SOON = 10.0  # seconds, at least, until a comparison that was refused is tried again: what kept it from being made may be over
_REFUSED = 10  # times as long as it took rests one that was refused, as where a table is too large to be read in time
_AWAITED = 2.0  # seconds for which a turn waits for what it began: most tables are compared by then, and told twenty seconds sooner
_RESTLESS = 3  # comparisons in turn at which a row kept changing, which is told


class Rounds:
    """The tables of one project, one after the other. A table of a stream that is behind waits, and is not green meanwhile."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}  # by the monotonic clock
        self._counting: dict[str, float] = {}  # seconds that the last comparison of a table took
        self._restless: dict[str, dict[Key, int]] = {}  # rows that kept changing at a table's last comparisons, and at how many
        self._last: dict[str, Health] = {}
        self._found: deque[tuple[Resource, Health]] = deque()
        self._thread = Thread()

    def watch(self, catalogue: Catalogue, resources: tuple[Resource, ...], _: object) -> Iterator[tuple[Resource, dg.AssetCheckResult]]:
        """What has been found since the last turn; begins a new round if there is anything to do."""
        due = [table for table in resources if self._is_due(catalogue, table)]
        if due and not self._thread.is_alive():
            self._thread = Thread(target=self._compare, args=[catalogue, due], daemon=True)
            self._thread.start()
            self._thread.join(_AWAITED)
        while self._found:
            table, health = self._found.popleft()
            if table in resources:  # its spec may have changed while it was compared
                yield table, health_result(EQUAL, health)

    def _is_due(self, catalogue: Catalogue, table: Resource) -> bool:
        mirrored = table.kind == "table" and table.name in catalogue.project.target_tables
        return mirrored and self._due.get(table.id, 0.0) <= time.monotonic()

    def _compare(self, catalogue: Catalogue, tables: list[Resource]) -> None:
        try:
            enter(catalogue)
        except Refused as error:
            self._found.extend((table, Health(State.UNKNOWN, str(error))) for table in tables)
            return
        for table in tables:
            stream, _ = catalogue.project.target_tables[table.name]
            fresh = look(read_age, catalogue, catalogue.by_id[f"job/{stream.name}"])
            if fresh.state is State.PASSED:
                self._last[table.id] = look(self._verify, catalogue, table)
            elif table.id not in self._last or self._last[table.id].state is not State.FAILED:  # what differs stays red
                self._last[table.id] = Health(State.UNKNOWN, f"not compared until stream {stream.name} is fresh: {fresh.text}")
            self._found.append((table, self._last[table.id]))

    def _verify(self, catalogue: Catalogue, table: Resource) -> Health:
        begun = time.monotonic()
        try:
            certificate = verify(catalogue, table.name)
        except Refused as error:
            took = 0.0 if isinstance(error, Behind) else time.monotonic() - begun  # to wait for a stream reads nothing
            self._due[table.id] = time.monotonic() + max(_SOON, _REFUSED * took)
            return Health(State.UNKNOWN, str(error))
        # A comparison that met a busy machine says little of what the next one will take.
        counting = min(certificate.counting, self._counting.get(table.id, certificate.counting))
        self._counting[table.id] = certificate.counting
        # What differs is looked at again soon: somebody may be mending it.
        rest = 0.0 if certificate.differences else counting / _SHARE
        self._due[table.id] = time.monotonic() + max(_REST, rest)
        before = self._restless.get(table.id, {})
        self._restless[table.id] = {key: before.get(key, 0) + 1 for key in certificate.not_compared}
        return certificate.health([key for key, times in self._restless[table.id].items() if times >= _RESTLESS])
