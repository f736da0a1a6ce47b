"""Connectors as resources: Debezium's configuration, its health and its slot's."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import psycopg
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from cdc.connect import Connect
from cdc.databases import Connection, connection, source_connection
from cdc.health import ANEW, judge_connector, states, was_set_back
from cdc.lag import last_record_time
from cdc.risks import of_drift
from cdc.signals import added_tables, captured_tables, reshaped_tables, rows_signal, send, snapshot_signal
from cdc.slots import Slot, drop_slot, read_slot
from project.environment import Environment
from project.models import Project, Source
from project.resources import Difference, Document, Health, Judgement, Refused, Resource, State, Strength
from project.topics import pulse_topic

_START = 60  # seconds until the connector and its task run
_STOP = 30  # seconds until a stopped connector has let go of its slot
_ADDED = {"name", "headrace.digest"}  # to the configuration that is declared
_LOST = "headrace.lost"  # in the configuration of a connector that may not go on: bytes of WAL that it has read and that are not there
_SLOT = ("slot.name", "database.hostname", "database.port")
_IDENTITY = ("config.slot.name", "config.topic.prefix", "config.database.hostname", "config.database.port", "config.database.dbname")


class ConnectBackend:
    system = "connect"

    def __init__(self, project: Project, environment: Environment) -> None:
        self._project, self._environment = project, environment
        self._connect = Connect(environment.connect.url)
        # Told of the topics in which rows with new columns, or with fewer, are about to arrive: who reads them by an older spec would
        # pass the new ones over, and take those that are gone for NULL.
        self.reshapes: Callable[[set[str]], None] = lambda topics: None

    def read(self, resource: Resource) -> Document | None:
        config, status = self._reader(resource), self._connect.status(resource.name)
        if config is None:
            return None
        state = status["connector"]["state"] if status else "RUNNING"
        # A failure is not a change of the definition: health tells it. Being paused or stopped is one.
        return {
            "state": state if state in ("PAUSED", "STOPPED") else "RUNNING",
            "config": config,
            "undeclared": sorted(config.keys() - resource.document["config"].keys() - _ADDED),
        }

    def judge(self, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Judgement:
        risks = tuple(map(str, of_drift(differences, self._environment.longest_outage_hours)))
        owner = observed["config"].get("headrace.project")
        if owner != self._project.name:
            refusal = f"connector {resource.name} exists and belongs to {_owner(owner)}; name another in the source's spec"
            return Judgement(Strength.RESTART, refusal)
        if refusal := self._read_by_another(resource, observed["config"]):
            return Judgement(Strength.REBUILD, refusal, risks=risks)
        if lost := observed["config"].get(_LOST):
            return Judgement(Strength.RESTART, was_set_back(resource.name, lost), risks=risks)
        if changed := [str(difference) for difference in differences if difference.path in _IDENTITY]:
            way_out = "set it back: the filters of its outbox stand in its topics" if self._source_of(resource).outbox else ANEW
            refusal = f"{', '.join(changed)}: its stored position would be wrong there, and changes would be lost; {way_out}"
            return Judgement(Strength.REBUILD, refusal, risks=risks)
        return Judgement(Strength.RESTART, note=_note(resource.document["config"], observed["config"]), risks=risks)

    def write(self, resource: Resource, observed: Document | None) -> None:
        """Configure and wait until it runs. Tables and columns that are new to a running connector are read in full."""
        config = {**resource.document["config"], "headrace.digest": resource.digest}
        now = self._reader(resource)
        if now is not None and (refusal := self.judge(resource, {"config": now}, ()).refusal):
            raise Refused(f"{resource.id}: {refusal}")
        if now is not None:
            self._stop(resource.name, now)  # a task that runs afterwards is one with the new configuration
            if reshaped := reshaped_tables(config, now):
                self.reshapes({f"{resource.name}.{table}" for table in reshaped})
            if added := added_tables(config, now):
                # While it is stopped: its next start reads the signal with the new configuration, however this apply ends.
                self._signal(config["headrace.source"], snapshot_signal(added))
        self._connect.put(resource.name, config)
        self._connect.resume(resource.name)
        self._wait_until_it_runs(resource)

    def delete(self, resource_id: str) -> None:
        """Stops the connector, forgets its position, drops its slot; the connector itself goes last, so that this can be repeated."""
        name = resource_id.removeprefix("connector/")
        config = self._connect.config(name)
        if config is None:
            return
        if config.get("headrace.project") != self._project.name:
            raise Refused(f"connector {name} belongs to {_owner(config.get('headrace.project'))}; it is not ours to delete")
        self._stop(name, config)
        self._connect.delete_offsets(name)
        self._drop_slot(config)
        self._connect.delete(name)

    def owned(self) -> Iterable[str]:
        return [f"connector/{name}" for name in self._connect.owned(self._project.name)]

    def health(self, resource: Resource) -> Health:
        config = resource.document["config"]
        try:
            status, stored = self._connect.status(resource.name), self._stored(resource.name)
            slot = self._slot(config)  # after the position, which only grows
            if lost := self._held(resource.name):
                return Health(State.FAILED, was_set_back(resource.name, lost))
            return judge_connector(resource.name, status, config["slot.name"], slot, self._silence(resource.name), stored)
        except Refused as error:
            return Health(State.FAILED, str(error))

    def _reader(self, resource: Resource) -> dict[str, str] | None:
        """The configuration of the live connector; without one, that of another of ours which reads by its slot."""
        if config := self._connect.config(resource.name):
            return config
        wanted = resource.document["config"]
        owned = self._connect.owned(self._project.name).values()
        return next((one for one in owned if all(one.get(key) == wanted[key] for key in _SLOT)), None)

    def refuse_beside_another(self, resource: Resource) -> None:
        """Refused where another connector reads by its slot."""
        if (config := self._reader(resource)) and (refusal := self._read_by_another(resource, config)):
            raise Refused(f"{resource.id}: {refusal}")

    def _read_by_another(self, resource: Resource, config: dict[str, str]) -> str | None:
        if (name := config["name"]) == resource.name:
            return None
        said = f"slot {config['slot.name']} of its source is read by connector {name}"
        if taken := next((one.name for one in self._project.sources.values() if one.connector == name), None):
            return f"{said}, which is that of source {taken} now; give {taken} a `connector` name that is new, and apply again"
        if self._source_of(resource).outbox:
            return f"{said}, in whose topics the filters of its outbox stand; call it {name} again"
        anew = "every row is read again, and `headrace verify --heal` removes what was deleted in between"
        return f"{said}, which is in no spec any more; run `headrace prune`, which removes it with its slot and topics, then apply: {anew}"

    def _source_of(self, resource: Resource) -> Source:
        return self._project.sources[resource.document["config"]["headrace.source"]]

    def captures_otherwise(self, resource: Resource) -> set[str]:
        """The tables (schema.table) of which the live connector captures columns that the resource does not, or the other way round."""
        live, own = self._connect.config(resource.name), resource.document["config"]
        return set() if live is None else reshaped_tables(live, own)

    def url(self, resource: Resource) -> str | None:
        return f"{self._connect.url}/connectors/{resource.name}/status"

    def restart_failed(self, resource: Resource) -> str | None:
        """Restart the connector's failed parts, where they stood; what was done, or None if nothing had failed."""
        status = self._connect.status(resource.name)
        if status is None or all(part["state"] != "FAILED" for part in (status["connector"], *status["tasks"])):
            return None
        self._connect.restart_failed(resource.name)
        return f"restarted the failed parts of {resource.id}"

    def stands_ahead(self, resource: Resource) -> bool:
        """Whether a connector has read what its server does not have, and goes on all the same; Refused while Connect cannot say so."""
        stored = self._connect.position(resource.name)  # first: where Connect waits for Kafka, it is asked for this the shortest
        config, status = self._connect.config(resource.name), self._connect.status(resource.name)
        stopped = status is None or status["connector"]["state"] == "STOPPED"
        return config is not None and bool(self._ahead(config, stored)) and not (_LOST in config and stopped)

    def hold(self, resource: Resource) -> str | None:
        """Stop a connector that stands ahead of its server, and mark it so that only a `reread` has it go on: once the server has written
        as much again, which the connector passes over, nothing would tell of it any more. What was done, if anything."""
        config = self._connect.config(resource.name)
        if config is None or not (lost := self._ahead(config, self._stored(resource.name))):
            return None
        self._connect.put(resource.name, config | {_LOST: lost})
        self._connect.stop(resource.name)
        return f"stopped {resource.id}: {was_set_back(resource.name, lost)}"

    def _ahead(self, config: dict[str, str], stored: int | None) -> str | None:
        """What a live connector has read ahead of its server, in bytes; what it is marked with, once it is."""
        slot = None if _LOST in config else self._slot(config)
        return config.get(_LOST) or (str(slot.misses(stored) or "") if slot else None)

    def read_again(self, resource: Resource) -> None:
        """Read every row of every captured table again; by a new first snapshot if the slot is lost, or the position means nothing."""
        stored, slot = self._connect.position(resource.name), self._slot(resource.document["config"])
        if self._held(resource.name) or slot is None or slot.lost or stored is None or slot.misses(stored):
            self.delete(resource.id)
            self.write(resource, None)
        else:
            self.read_tables_again(resource, captured_tables(resource.document["config"]))

    def read_tables_again(self, resource: Resource, tables: Iterable[str]) -> None:
        """Read every row of some captured tables (schema.table) again, between the changes."""
        self._refuse_if_held(resource.name)
        self._signal(resource.document["config"]["headrace.source"], snapshot_signal(tables))

    def read_rows_again(self, resource: Resource, table: str, condition: str) -> None:
        """Read the rows of a captured table (schema.table) that meet a condition of SQL again, between the changes."""
        self._refuse_if_held(resource.name)
        self._signal(resource.document["config"]["headrace.source"], rows_signal(table, condition))

    def _held(self, name: str) -> str | None:
        """What a connector that was stopped for it has read ahead of its server, in bytes."""
        return (self._connect.config(name) or {}).get(_LOST)

    def _refuse_if_held(self, name: str) -> None:
        """Nothing is read until all of it is."""
        if lost := self._held(name):
            raise Refused(was_set_back(name, lost))

    def _signal(self, source_name: str, signal: tuple[str, str]) -> None:
        with source_connection(self._environment, self._project.sources[source_name]) as source:
            send(source, signal)

    def _stop(self, name: str, config: dict[str, str]) -> None:
        """A task that has not connected yet does not hold the slot either, so both have to be gone."""
        self._connect.stop(name)

        def stopped() -> bool:
            status = self._connect.status(name)
            return not (status and status["tasks"]) and ((slot := self._slot(config)) is None or not slot.active)

        if not _becomes(stopped, _STOP):
            raise Refused(f"connector {name} was stopped, but its task still runs or holds its slot after {_STOP} s; apply again")

    def _wait_until_it_runs(self, resource: Resource) -> None:
        config = resource.document["config"]

        def runs() -> bool:
            status = self._connect.status(resource.name)
            return status is not None and {"RUNNING"} == states(status) and self._slot(config) is not None

        if not _becomes(runs, _START):
            raise Refused(self.health(resource).text)

    def _slot(self, config: dict[str, str]) -> Slot | None:
        with self._source(config) as source:
            return read_slot(source, config["slot.name"])

    def _stored(self, name: str) -> int | None:
        try:
            return self._connect.position(name)
        except Refused:  # Connect reads it from Kafka: the checks of the topics tell
            return None

    def _silence(self, name: str) -> float | None:
        try:
            last = last_record_time(self._environment.kafka, pulse_topic(name))
        except Refused:  # the checks of the topics tell
            return None
        return None if last is None else time.time() - last

    def _drop_slot(self, config: dict[str, str]) -> None:
        """As the capture role where the admin is none that may replicate, as on managed servers."""
        try:
            with self._source(config) as source:
                drop_slot(source, config["slot.name"])
        except Refused as error:
            if not isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
                raise
            with self._source(config, as_capture=True) as source:
                drop_slot(source, config["slot.name"])

    @contextmanager
    def _source(self, config: dict[str, str], as_capture: bool = False) -> Iterator[Connection]:
        """The source database of a live connector, as its admin. Another source's on that server may not be let in."""
        place = config["database.hostname"], int(config["database.port"])
        known = self._environment.sources
        endpoints = [known.get(config.get("headrace.source", "")), known.get("default"), *known.values()]
        endpoint = next((one for one in endpoints if one and (one.host, one.port) == place), None)
        if endpoint is None:
            raise Refused(
                f"the environment has no source at {place[0]}:{place[1]}, where slot {config['slot.name']} is; add it, "
                f"or run `select pg_drop_replication_slot('{config['slot.name']}')` there after deleting the connector"
            )
        login = endpoint.capture if as_capture else endpoint.admin
        with connection(endpoint, config["database.dbname"], login=login) as source:
            yield source


def _note(desired: dict[str, str], observed: dict[str, str]) -> str:
    """What happens to the data."""
    added, gone = added_tables(desired, observed), sorted(set(captured_tables(observed)) - set(captured_tables(desired)))
    changed = sorted(reshaped_tables(desired, observed) - set(gone))
    notes = ["it goes on where it stood"]
    notes += [f"meanwhile it reads every row of {', '.join(added)}"] if added else []
    notes += [f"jobs that read {', '.join(changed)} by an older spec end until they are applied"] if changed else []
    notes += [f"it captures {', '.join(gone)} no more; what was captured stays until a prune"] if gone else []
    return "; ".join(notes)


def _owner(project: str | None) -> str:
    return f"project {project}" if project else "nobody that Headrace knows"


def _becomes(condition: Callable[[], bool], patience: float) -> bool:
    """Whether the condition holds within patience (seconds)."""
    try:
        return Retrying(retry=retry_if_result(lambda met: not met), stop=stop_after_delay(patience), wait=wait_fixed(0.3))(condition)
    except RetryError:
        return False
