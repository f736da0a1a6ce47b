"""A filter tried on events of its topic or of a file, before anyone gets them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flink.backends import FlinkBackend
from orchestration.catalogue import Catalogue
from project.filters.models import Filter
from project.filters.samples import admitted, outcome
from project.filters.verdicts import Record
from project.models import Stream

PASSED, STAYED, SET_ASIDE, NO_EVENT = "pass", "stay", "are set aside: a value is not of the type that is compared", "are no events"
_SHOWN = 200  # characters of an event


@dataclass(frozen=True)
class Judged:
    """An event, where it stands, and what became of it in words."""

    place: str
    event: str
    why: tuple[str, ...]


def judge_latest(catalogue: Catalogue, stream: Stream, one: Filter, count: int) -> dict[str, list[Judged]]:
    """The newest events of a stream by what the filter makes of them; raises Unreachable."""
    flink = catalogue.backends["flink"]
    assert isinstance(flink, FlinkBackend)
    letters = flink.latest(catalogue.by_id[f"job/{stream.name}"], count)
    return _judged(stream, one, ((f"{one.topic}:{one.partition}:{one.offset}", one.value, one.written_at / 1000) for one in letters))


def judge_file(stream: Stream, one: Filter, file: Path, now: float) -> dict[str, list[Judged]]:
    """The events of a file, one in each line, as if they came now (seconds since 1970); raises OSError."""
    lines = enumerate(file.read_bytes().splitlines(), 1)
    return _judged(stream, one, ((f"{file}:{number}", line, now) for number, line in lines if line.strip()))


def _judged(stream: Stream, one: Filter, events: Iterable[tuple[str, bytes, float]]) -> dict[str, list[Judged]]:
    found: dict[str, list[Judged]] = {PASSED: [], STAYED: [], SET_ASIDE: [], NO_EVENT: []}
    for place, content, at in events:
        became, why = _judge(stream, one, content, at)
        found[became].append(Judged(place, content[:_SHOWN].decode(errors="replace"), why))
    return found


def _judge(stream: Stream, one: Filter, content: bytes, at: float) -> tuple[str, tuple[str, ...]]:
    event, fault = admitted(content, stream.mandatory)
    if fault:
        return NO_EVENT, (fault,)
    topics, verdict, unsure = outcome(one, Record(event, datetime.fromtimestamp(at, UTC)))
    return PASSED if topics else SET_ASIDE if unsure else STAYED, tuple(verdict.lines())
