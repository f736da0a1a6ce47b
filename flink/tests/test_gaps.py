"""A stream starts at the beginning of its topics and never jumps over removed records."""

import pytest

from flink.offsets import gap

NEVER = -1001


@pytest.mark.parametrize(
    ("committed", "first", "end", "first_start", "refused"),
    [
        (NEVER, 0, 90, True, None),  # a new stream
        (NEVER, 0, 0, False, None),  # a partition that was added
        (40, 0, 90, False, None),
        (40, 40, 40, False, None),
        (NEVER, 10, 90, True, "this stream has read none of them"),
        (40, 41, 90, False, "retention has removed all before 41"),
        (40, 0, 30, False, "it was created anew"),
    ],
)
def test_a_start_that_would_miss_records_is_refused(committed: int, first: int, end: int, first_start: bool, refused: str | None):
    problem = gap(committed, first, end, first_start)
    assert problem is None if refused is None else problem is not None and refused in problem
