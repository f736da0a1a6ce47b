"""A filter: which events a consumer gets, with sample events that say so."""

from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, StringConstraints, field_validator, model_validator

from filters.conditions import DEEPEST, MOST, Group, Node, depth, size
from filters.values import Kind, WrongType, of_event
from project.problems import quoted
from project.specs import Spec

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,99}$")]


class Sample(Spec):
    """An event, and whether it has to pass."""

    event: dict[str, JsonValue]
    passes: bool
    topics: tuple[Id, ...] | None = None  # where to; None: the filter's only topic
    takenAt: str = "2026-01-01T12:00:00Z"  # when Kafka took it, which relative times count from
    why: str = ""

    @field_validator("takenAt")
    @classmethod
    def _is_an_instant(cls, text: str) -> str:
        try:
            of_event(text, Kind.TIMESTAMP)
        except WrongType as wrong:
            raise ValueError(f"{quoted(text)} is not when anything was taken: {wrong}; correct it") from wrong
        return text


class Output(Spec):
    """One of several topics, with the condition under which an event goes there as well."""

    topic: Id
    condition: Node


class Filter(Spec):
    """What passes goes to the consumer's topic, stamped with the filter and its version."""

    id: Id
    name: str = Field(min_length=1)
    description: str = ""
    consumerId: Id
    outputTopic: Id | None = None
    outputTopics: tuple[Output, ...] | None = Field(default=None, min_length=1)
    conditions: tuple[Node, ...] = Field(min_length=1)
    conditionLogic: Literal["AND", "OR"] = "AND"
    enabled: bool
    version: int = Field(default=1, ge=1)
    status: Literal["draft", "approved", "active", "deprecated", "removed"] = "draft"
    owner: str = ""
    samples: tuple[Sample, ...] = ()

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if (self.outputTopic is None) == (self.outputTopics is None):
            raise ValueError("expected either outputTopic or outputTopics; write one of them")
        if depth(self.tree) > DEEPEST or size(self.tree) > MOST:
            raise ValueError(f"groups {depth(self.tree)} deep with {size(self.tree)} conditions; expected {DEEPEST} and {MOST}; split it")
        return self

    @cached_property
    def tree(self) -> Group:
        """All its conditions as one group."""
        return Group(all=self.conditions) if self.conditionLogic == "AND" else Group(any=self.conditions)


class FilterFile(Spec):
    """`filters.yaml`: all filters of a stream."""

    filters: tuple[Filter, ...] = Field(min_length=1)
