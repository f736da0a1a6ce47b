"""A filter: which events a consumer gets, with sample events that say so."""

from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, StringConstraints, field_validator, model_validator

from project.filters.conditions import DEEPEST, MOST, Group, Node, PlainPath, depth, size
from project.filters.values import Kind, WrongType, of_event
from project.problems import quoted
from project.specs import Spec

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,99}$")]
LARGEST_STAMP = 64 * 1024  # bytes that a filter may add to an event that it passes


class Sample(Spec):
    """An event, and what has to become of it: either `passes` or `setAside`."""

    event: dict[str, JsonValue]  # as it stands in the topic
    passes: bool | None = None  # whether it has to
    setAside: bool = False  # whether it has to wait as a dead letter: it is no event to filters, or a value is of another type
    topics: tuple[Id, ...] | None = None  # where to; None: the filter's only topic
    takenAt: str = "2026-01-01T12:00:00Z"  # when Kafka took it, which relative times count from
    why: str = ""  # what the sample shows
    fits: bool = True  # whether it is as the schema of its event says; no of one that is wrong on purpose

    @field_validator("takenAt")
    @classmethod
    def _is_an_instant(cls, text: str) -> str:
        try:
            of_event(text, Kind.TIMESTAMP)
        except WrongType as wrong:
            raise ValueError(f"{quoted(text)} is not when anything was taken: {wrong}; correct it") from wrong
        return text

    @model_validator(mode="after")
    def _says_what_becomes_of_it(self) -> Self:
        if (self.passes is None) != self.setAside:
            raise ValueError("expected either passes or setAside: true; write one of them")
        return self


class Output(Spec):
    """One of several topics, with the condition under which an event goes there as well."""

    topic: Id  # behind the project's name and `events`
    condition: Node  # besides those of the filter


class Approval(Spec):
    """What a second person has agreed to: one version, so that a change needs another agreement."""

    by: str = Field(min_length=1)  # not the filter's owner
    version: int = Field(ge=1, strict=True)  # that of the filter


class Filter(Spec):
    """What passes goes to the consumer's topic, stamped with the filter and its version."""

    id: Id  # unique in the project; stands in every event that passes
    name: str = Field(min_length=1)
    description: str = ""
    consumerId: Id  # who it is for; stands in every event that passes
    outputTopic: Id | None = None  # where what passes goes, behind the project's name and `events`
    outputTopics: tuple[Output, ...] | None = Field(default=None, min_length=1)  # instead of it: several, each with a condition of its own
    conditions: tuple[Node, ...] = Field(min_length=1)  # what passes meets these
    conditionLogic: Literal["AND", "OR"] = "AND"  # whether all of them or one of them
    enabled: bool  # whether the job holds it
    version: int = Field(default=1, ge=1, le=2_147_483_647)  # stands in every event that passes; raise it with each change
    # Where its life stands: a draft and one that is removed do not run, one that is deprecated runs with a warning.
    status: Literal["draft", "approved", "active", "deprecated", "removed"] = "active"
    owner: str = ""  # whom to ask
    # Of a second person. `status: approved` needs it, and so does each filter that runs in a stream whose `approval` is required.
    approval: Approval | None = None
    samples: tuple[Sample, ...] = ()  # its tests: `headrace filters test`

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if (self.outputTopic is None) == (self.outputTopics is None):
            raise ValueError("expected either outputTopic or outputTopics; write one of them")
        more = [one.condition for one in self.outputTopics or ()]
        deep, many = max([depth(self.tree), *(1 + depth(one) for one in more)]), sum(map(size, (self.tree, *more)))
        if deep > DEEPEST or many > MOST:
            raise ValueError(f"groups {deep} deep with {many} conditions; expected {DEEPEST} and {MOST}; split it")
        return self

    @property
    def runs(self) -> bool:
        """Whether the job holds it."""
        return self.enabled and self.status not in ("draft", "removed")

    @property
    def outputs(self) -> tuple[tuple[str, Node | None], ...]:
        """Its topics, each with the condition that an event needs besides."""
        return ((self.outputTopic, None),) if self.outputTopic else tuple((one.topic, one.condition) for one in self.outputTopics or ())

    @cached_property
    def tree(self) -> Group:
        """All its conditions as one group."""
        return Group(all=self.conditions) if self.conditionLogic == "AND" else Group(any=self.conditions)


Mandatory = Annotated[tuple[PlainPath, ...], Field(min_length=1)]
MANDATORY = ("eventName",)  # unless a stream says otherwise


class FilterFile(Spec):
    """`filters.yaml`: all filters of a stream."""

    filters: tuple[Filter, ...] = Field(min_length=1)
    mandatory: Mandatory = MANDATORY
