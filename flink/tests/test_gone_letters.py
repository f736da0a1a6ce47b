"""Dead letters that nobody has kept do not vanish without a word."""

import pytest

from flink.dead_letters import gone

NEVER = -1001


@pytest.mark.parametrize(
    ("stood", "first", "end", "said"),
    [
        (NEVER, 0, 9, None),
        (4, 0, 9, None),
        (4, 4, 4, None),  # all that was kept has expired
        (4, 5, 9, "removed all dead letters before 5, and those from 4 on were not kept"),
        (NEVER, 5, 9, "removed all dead letters before 5, and nobody knows which of them were kept"),
        (10, 0, 9, "it ends at 9, before 10: it was created anew"),
    ],
)
def test_what_is_gone_is_told(stood: int, first: int, end: int, said: str | None):
    found = list(gone({("aside", 0): stood}, {("aside", 0): (first, end)}))
    assert not found if said is None else said in found[0].reason
