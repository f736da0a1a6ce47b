"""What comes in its order, each at least once."""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

K = TypeVar("K")


def missed(expected: Mapping[K, deque[Any]], found: Iterable[tuple[K, Any]]) -> Mapping[K, deque[Any]]:
    """Of each key what did not come, or too early; that some come twice is nothing to it. Empties what was expected."""
    for key, one in found:
        if (waiting := expected.get(key)) and waiting[0] == one:
            waiting.popleft()
    return {key: waiting for key, waiting in expected.items() if waiting}
