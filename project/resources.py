"""The vocabulary between the rooms: a resource is any one thing we create in a system; a backend reads and writes it.

The domain rooms compile a project to resources (pure) and offer one backend per system (effect); orchestration joins them
and never looks inside a document.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, Protocol

from project.problems import NOWHERE, Location

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Resource:
    """One thing as the spec wants it. `document` holds just what we declare: only those fields are compared."""

    system: str  # postgres, kafka, connect, flink, analytics, superset
    kind: str  # capture, topic, connector, job, table, view, role, dataset, chart, dashboard …
    name: str  # unique within its kind in a project
    document: Document
    depends_on: tuple[str, ...] = ()  # ids
    declared_at: Location = NOWHERE
    title: str = ""
    description: str = ""
    text: str = ""  # the generated SQL, JSON or YAML as `headrace render` shows it
    language: str = "json"  # of text: json, sql, yaml
    beginning: str | None = None  # what its creation means for data and state, for the reader of a plan

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def digest(self) -> str:
        """Names the desired document; equal documents have equal digests everywhere."""
        return digest_of(self.document)


def digest_of(document: Any) -> str:
    """Names a document, in any order of its keys."""
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


class Strength(IntEnum):
    """What a change does to what runs; the order is the policy."""

    NONE = 0
    RECONFIGURE = 1  # in place, nothing stops
    RESTART = 2  # stops and goes on where it stood
    REBUILD = 3  # loses data or state that must be read again


@dataclass(frozen=True)
class Difference:
    """One declared field that is not as declared; `observed` is None where the field is missing."""

    path: str
    desired: Any
    observed: Any

    @property
    def secret(self) -> bool:
        """Whether somebody may have written a password where a reference belongs."""
        return self.path == "config.database.password"

    def __str__(self) -> str:
        if self.secret:
            return f"{self.path}: not the reference that is declared"
        return f"{self.path}: {_short(self.observed)} → {_short(self.desired)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "…"


@dataclass(frozen=True)
class Judgement:
    """How strong a change is. `refusal` is None when it may be applied, else why not and the way out."""

    strength: Strength
    refusal: str | None = None
    note: str | None = None  # what the change leaves for its reader to know
    risks: tuple[str, ...] = ()  # what can be lost for as long as it is not made


class State(StrEnum):
    PASSED = "passed"
    WARNING = "warning"  # analysts soon see wrong or stale data
    FAILED = "failed"  # analysts see wrong or stale data now
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Health:
    """How a live resource is. `text` says what is wrong and what to do; `facts` are numbers and names to show."""

    state: State
    text: str
    facts: Mapping[str, str | int | float | None] = field(default_factory=dict)


class Refused(Exception):
    """A system refused a request. The text is for the reader: the system, the resource and the last cause."""


class Unreachable(Refused):
    """A system did not answer; the text says which, at what address, and what to do."""


class Backend(Protocol):
    """One system, as a thing that holds resources. Every call is bounded in time and raises Refused or Unreachable."""

    system: str

    def read(self, resource: Resource) -> Document | None:
        """The observed document, with at least the declared fields that exist; None if the resource does not exist."""
        ...

    def judge(self, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Judgement: ...

    def write(self, resource: Resource, observed: Document | None) -> None:
        """Make it so, and return when the system has taken it. Refuses to touch what lacks our mark."""
        ...

    def delete(self, resource_id: str) -> None: ...

    def owned(self) -> Iterable[str]:
        """Ids of everything in the system that carries this project's mark."""
        ...

    def health(self, resource: Resource) -> Health:
        """How it is right now. Never raises for a system that does not answer: says so in the result."""
        ...

    def url(self, resource: Resource) -> str | None:
        """Where a person looks at the live thing."""
        ...
