"""What was tried and what came of it: kept as JSON, shown as a table in the docs."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from chaos.fault import ONE, SEVERAL
from chaos.faults import FAULTS, Fault

_RESULTS = Path(__file__).with_name("results.json")
_TABLE = Path(__file__).resolve().parent.parent / "docs" / "faults.md"
_HEAD = """# Faults
What the chain promises when something breaks, and what came of it when it was broken. Written by `make chaos`, which breaks a
running platform by a seeded list of faults while customers trade and programs tell of events, and looks after each fault whether every
row is as in its source, whether every record that was passed was read or set aside, whether there is one slot, connector and job of each
with nothing left to apply, and whether every check is green again; where nothing has to be done by hand, also whether all changes of one
customer's orders stand in Kafka, those of an order in their order. Rows are compared by `verify`, and that customer's orders by plain SQL
as well. Databases and Kafka are reached there by links that can be cut, and store on small disks.

Events are those of examples/cars, which stands beside the bookstore. Each that was committed has to be in the raw topic, in just the
topics to which its filters send it, stamped by the version that was in charge, those of an entity in their order, and in the table of its
consumers. Each hop delivers at least once, so some may be there twice. Where the source itself was lost or a stream was read again, that
goes for the events that the outbox still holds.

*Recovery* counts from the moment at which the fault has done its work and is cleared, which is when a process that was killed has been
started again, or the command that the check names, or `up`, has ended, until a new change of every source can be seen by analysts, and
every consumer has new events. It is promised within %d s where one process was killed, within %d s where several were; times beyond that
are told; before events came, consumers were not waited for. *Now* is what was tried and kept of the newest code that was broken%s; the rest
is of older code.

| fault | no. | what is done | promise | tried | kept | now | recovery, median (worst) |
|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Result:
    fault: str
    seed: int
    seconds: float | None  # until all was fresh
    problems: list[str]
    commit: str | None  # the code that was broken


def commit() -> str | None:
    """The code that runs here, as git calls it; None where there is no git."""
    if not shutil.which("git"):
        return None
    asked = ("git", "-C", str(_RESULTS.parent), "rev-parse", "--short", "HEAD")
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or None


def remember(result: Result) -> None:
    """With places as they are in any checkout."""
    text = json.dumps([*read_results(), asdict(result)], indent=1)
    _RESULTS.write_text(text.replace(f"{_TABLE.parent.parent}/", "") + "\n")


def write_table() -> None:
    _TABLE.write_text(table(read_results()))


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """All that is remembered, in the order of the faults' numbers."""
    newest = next((one["commit"] for one in reversed(results) if one.get("commit")), None)
    lines = [_HEAD % (ONE, SEVERAL, f", `{newest}`" if newest else "")]
    for fault in sorted(FAULTS.values(), key=lambda one: (one.number, one.name)):
        mine = [result for result in results if result["fault"] == fault.name]
        now = [result for result in mine if newest and result.get("commit") == newest]
        cells = (fault.name, fault.number, fault.does, fault.promise, len(mine), _kept(mine), f"{_kept(now)} of {len(now)}" if now else "–")
        lines.append(f"| {' | '.join(map(str, cells))} | {_recovery(fault, mine)} |\n")
    return "".join(lines)


def _kept(results: Sequence[Mapping[str, Any]]) -> int:
    return sum(not result["problems"] for result in results)


def _recovery(fault: Fault, results: Sequence[Mapping[str, Any]]) -> str:
    seconds = [result["seconds"] for result in results if result["seconds"] is not None]
    late = sum(one > fault.within for one in seconds) if fault.within else 0
    told = f"; {late} beyond {fault.within} s" if late else ""
    return f"{median(seconds):.0f} s ({max(seconds):.0f} s{told})" if seconds else "–"


def read_results() -> list[dict[str, Any]]:
    return json.loads(_RESULTS.read_text()) if _RESULTS.exists() else []
