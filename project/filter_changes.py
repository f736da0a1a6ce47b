"""Two states of a project's filters, held against each other without any system: what changes in words, and for which sample events."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from project.filters.differences import differences, listed, said_otherwise
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
        said = "\n".join(differences(_only(old, name), _only(new, name)))
        if name not in old or name not in new:
            yield FilterChange(name, said)
            continue
        moved = tuple(_moved(old[name], new[name]))
        if not said and (anew := said_otherwise(old[name][0], new[name][0])):
            said = f"filter {name} says from now on: {listed(anew)}"
        if said or moved:
            yield FilterChange(name, said or f"filter {name} judges by other mandatory paths of its stream", moved)


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
