"""Plan and apply of one resource, the same for every system: read, compare the declared fields, judge, write, read again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from project.resources import Backend, Difference, Document, Judgement, Refused, Resource, Strength

_MISSING = object()


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    RESTART = "restart"
    REPLACE = "replace"
    NONE = "unchanged"

    @property
    def done(self) -> str:
        """The same in the past tense, for reports."""
        return {"create": "created", "update": "updated", "restart": "restarted", "replace": "replaced"}.get(self, self.value)


_ACTIONS = {
    Strength.NONE: Action.NONE,
    Strength.RECONFIGURE: Action.UPDATE,
    Strength.RESTART: Action.RESTART,
    Strength.REBUILD: Action.REPLACE,
}


@dataclass(frozen=True)
class Change:
    """What an apply of one resource would do. `refusal` is None when it may."""

    resource: Resource
    action: Action
    differences: tuple[Difference, ...] = ()
    observed: Document | None = None  # None: the resource does not exist
    refusal: str | None = None
    note: str | None = None  # what its reader should know
    risks: tuple[str, ...] = ()  # what can be lost until it is applied

    def __str__(self) -> str:
        lines = [f"{self.action} {self.resource.id}", *(f"  {difference}" for difference in self.differences)]
        lines += [f"  {word}: {text}" for word, text in (("refused", self.refusal), ("note", self.note)) if text]
        lines += [f"  risk: {risk}" for risk in self.risks]
        return "\n".join(lines)


def differences(desired: Any, observed: Any, path: str = "") -> Iterator[Difference]:
    """Left-scoped: a field that only the observed side has is not ours. Lists count as whole values."""
    if isinstance(desired, Mapping) and isinstance(observed, Mapping):
        for key, value in desired.items():
            yield from differences(value, observed.get(key, _MISSING), f"{path}.{key}" if path else str(key))
    elif desired != observed and not (desired is None and observed is _MISSING):
        yield Difference(path, desired, None if observed is _MISSING else observed)


def plan(backend: Backend, resource: Resource) -> Change:
    """Read one resource and say what an apply would do; nothing is changed."""
    observed = backend.read(resource)
    if observed is None:
        return Change(resource, Action.CREATE, note=resource.beginning)
    found = tuple(differences(resource.document, observed))
    if not found:
        return Change(resource, Action.NONE, observed=observed)
    judgement: Judgement = backend.judge(resource, observed, found)
    return Change(resource, _ACTIONS[judgement.strength], found, observed, judgement.refusal, judgement.note, judgement.risks)


def apply(backend: Backend, resource: Resource) -> tuple[Change, Change]:
    """Make observed equal desired. Returns what was done, and the plan afterwards, which is empty when all went well."""
    change = plan(backend, resource)
    if change.refusal:
        raise Refused(f"{resource.declared_at}: {resource.id}: {change.refusal}")
    if change.action is Action.NONE:
        return change, change
    backend.write(resource, change.observed)
    return change, plan(backend, resource)
