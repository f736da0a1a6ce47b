"""A filter tried on real events, before anyone gets them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flink.backends import FlinkBackend, Letter
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
    found: dict[str, list[Judged]] = {PASSED: [], STAYED: [], SET_ASIDE: [], NO_EVENT: []}
    for letter in flink.latest(catalogue.by_id[f"job/{stream.name}"], count):
        became, why = _judge(stream, one, letter)
        text = letter.value[:_SHOWN].decode(errors="replace")
        found[became].append(Judged(f"{letter.topic}:{letter.partition}:{letter.offset}", text, why))
    return found


def _judge(stream: Stream, one: Filter, letter: Letter) -> tuple[str, tuple[str, ...]]:
    event, fault = admitted(letter.value, stream.mandatory)
    if fault:
        return NO_EVENT, (fault,)
    topics, verdict, unsure = outcome(one, Record(event, datetime.fromtimestamp(letter.written_at / 1000, UTC)))
    return PASSED if topics else SET_ASIDE if unsure else STAYED, tuple(verdict.lines())
