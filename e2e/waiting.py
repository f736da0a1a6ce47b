"""Waiting for a condition with a deadline: the only way in which tests wait."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_PAUSE = 0.1


def until(condition: Callable[[], T], seconds: float, what: str) -> T:
    """The first truthy value of `condition`; fails with `what` and the last value when the deadline passes."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}; last seen: {value!r}")
        time.sleep(_PAUSE)
    return value
