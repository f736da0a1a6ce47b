"""Two states of a project's filters, held against each other without any system: what changes in words, and for which sample events."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from project.filters.differences import differences, said_otherwise, told_anew
from project.filters.models import Filter, Sample
from project.filters.samples import judged
from project.models import Project

_Running = tuple[Filter, tuple[str, ...]]  # with what is mandatory in its stream


@dataclass(frozen=True)
class Moved:
    """A sample event of which something else becomes now."""

    sample: Sample
    before: str
    after: str


@dataclass(frozen=True)
class FilterChange:
    """What changes of a filter: in words, and of the samples that either state has."""

    filter: str
    says: str
    moved: tuple[Moved, ...] = ()


def filter_changes(before: Project, after: Project) -> Iterator[FilterChange]:
    """Of the filters that run in one of the two, each that is not the same."""
    old, new = _running(before), _running(after)
    for name in sorted(old.keys() | new.keys()):
        lines = [*differences(_only(old, name), _only(new, name))]
        moved = tuple[Moved, ...]()
        if name in old and name in new:
            lines += _beside(old[name], new[name])
            moved = tuple(_moved(old[name], new[name]))
        if lines or moved:
            yield FilterChange(name, "; ".join(lines) or f"filter {name} judges otherwise", moved)


def _beside(old: _Running, new: _Running) -> Iterator[str]:
    """What differs beside the filter's own conditions and topics."""
    name = new[0].id
    if old[1] != new[1]:
        yield f"filter {name} sees events that have {', '.join(new[1])}, where it saw those that have {', '.join(old[1])}"
    if changed := said_otherwise(old[0], new[0]):
        yield told_anew(name, changed)


def _running(project: Project) -> dict[str, _Running]:
    return {one.id: (one, stream.mandatory) for stream, one in project.filters if one.runs}


def _only(running: dict[str, _Running], name: str) -> dict[str, Filter]:
    return {name: running[name][0]} if name in running else {}


def _moved(old: _Running, new: _Running) -> Iterator[Moved]:
    for sample in _samples(old[0], new[0]):
        before, after = (judged(one, sample, mandatory).became for one, mandatory in (old, new))
        if before != after:
            yield Moved(sample, before, after)


def _samples(*states: Filter) -> Iterable[Sample]:
    """Each event once, as the later state has it."""
    return {json.dumps([one.event, one.takenAt], sort_keys=True): one for state in states for one in state.samples}.values()
