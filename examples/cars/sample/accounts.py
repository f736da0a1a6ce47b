"""What became of events, topic by topic: how many had to come and came, and how long after their commits."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

Key = tuple[UUID, str]  # an event, and the filter that passed it; "" where none did


@dataclass(frozen=True)
class Account:
    """Of one topic: how many events had to come, came, and came again; of those that came, milliseconds after their commits."""

    topic: str
    expected: int
    received: int
    missing: int
    twice: int
    p50: float | None
    p95: float | None
    p99: float | None


def account(
    topic: str, expected: Collection[Key], found: Mapping[Key, float], again: Collection[Key], committed: Mapping[UUID, float]
) -> Account:
    """`found` and `committed` in seconds since 1970."""
    received = [key for key in expected if key in found]
    waits = sorted(round(max(0.0, found[key] - committed[key[0]]) * 1000, 2) for key in received)
    cuts = (percentile(waits, share) for share in (0.5, 0.95, 0.99))
    return Account(topic, len(expected), len(received), len(expected) - len(received), len(again), *cuts)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The least value that so great a share of them does not exceed; None of nothing."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None
