"""A filtered event as a consumer gets it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from confluent_kafka import Message

from project.references import header_texts

ORIGIN = "headrace.origin"  # the header with partition and offset of the raw event
SNAPSHOT = "headrace.snapshot"  # the header of an event that was read from its table, not from the log


class Poison(Exception):
    """No second try makes this right: a single event is set aside, of several each is tried by itself."""


class Retriable(Exception):
    """A later try may succeed; until then nothing behind it is handled."""


def json_text(value: bytes) -> str:
    """The text of an event that was written as one; raises Poison."""
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise Poison(f"it is not JSON: {error}") from error


# The text of an event, of a record in whatever format; raises Poison, or Retriable while it cannot know.
Decoder = Callable[[bytes], str]


@dataclass(frozen=True)
class Received:
    """A record of a filtered topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    origin: str  # partition and offset of the raw event, "" if the record does not say it
    written_at: int  # milliseconds since 1970
    decoder: Decoder = field(default=json_text, repr=False, compare=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False, compare=False)

    @property
    def from_snapshot(self) -> bool:
        """Whether it was read from its table, in no order of its key, and may have come before."""
        return SNAPSHOT in self.headers

    @cached_property
    def text(self) -> str:
        """The event as JSON, in whatever format it came; raises Poison, Retriable."""
        return self.decoder(self.value)

    @property
    def place(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"

    @cached_property
    def event(self) -> dict[str, Any]:
        """The event; raises Poison if the record is none, Retriable while that cannot be known."""
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise Poison(f"it is not JSON: {error}") from error
        if not isinstance(found, dict):
            raise Poison("it is not a JSON object")
        return found

    def part(self, *path: str | int) -> Any:
        """What stands at a path of the event, None if nothing does."""
        found: Any = self.event
        for step in path:
            if isinstance(step, int):
                found = found[step] if isinstance(found, list) and step < len(found) else None
            else:
                found = found.get(step) if isinstance(found, dict) else None
        return found


def received(record: Message, decoder: Decoder = json_text) -> Received:
    """A record as Kafka's client gives it."""
    headers = header_texts(record.headers())
    return Received(
        str(record.topic()), record.partition() or 0, record.offset() or 0, _bytes(record.key()), _bytes(record.value()) or b"",
        headers.get(ORIGIN, ""), record.timestamp()[1], decoder, headers,
    )  # fmt: skip


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
