"""What was tried and what came of it: kept as JSON, shown as a table in the docs."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from chaos.faults import FAULTS

_RESULTS = Path(__file__).with_name("results.json")
_TABLE = Path(__file__).resolve().parent.parent / "docs" / "faults.md"
_HEAD = """# Faults
What the chain promises when something breaks, and what came of it when it was broken. Written by `make chaos`, which breaks a
running platform by a seeded list of faults while customers trade, and looks after each fault whether every row is as in its source,
whether every record that was passed was read or set aside, whether there is one slot, connector and job of each with nothing left to
apply, and whether every check is green again; where nothing has to be done by hand, also whether all changes of one customer's orders
stand in Kafka, those of an order in their order. Databases and Kafka are reached there by links that can be cut, and store on small
disks.

*Recovery* counts from the moment at which the fault has done its work and is cleared, or the command that the check names, or `up`,
has ended, until a new change of every source can be seen by analysts.

| fault | no. | what is done | promise | tried | kept | recovery, median (worst) |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Result:
    fault: str
    seed: int
    seconds: float | None  # until all was fresh
    problems: list[str]


def remember(result: Result) -> None:
    _RESULTS.write_text(json.dumps([*_read(), asdict(result)], indent=1) + "\n")


def write_table() -> None:
    """Of all that is remembered, in the order of the numbers."""
    results = _read()
    lines = []
    for fault in sorted(FAULTS.values(), key=lambda one: (one.number, one.name)):
        mine = [result for result in results if result["fault"] == fault.name]
        seconds = [result["seconds"] for result in mine if result["seconds"] is not None]
        kept = sum(not result["problems"] for result in mine)
        took = f"{median(seconds):.0f} s ({max(seconds):.0f} s)" if seconds else "–"
        lines.append(f"| {fault.name} | {fault.number} | {fault.does} | {fault.promise} | {len(mine)} | {kept} | {took} |\n")
    _TABLE.write_text(_HEAD + "".join(lines))


def _read() -> list[dict[str, Any]]:
    return json.loads(_RESULTS.read_text()) if _RESULTS.exists() else []
