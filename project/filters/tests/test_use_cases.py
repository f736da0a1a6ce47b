"""What teams ask for can be said, and means what they mean."""

from pathlib import Path

import pytest

from project.filters.reading import read_filters
from project.filters.samples import Tried, try_samples

FOUND = read_filters(Path(__file__).parent / "use_cases.yaml")
TRIED = list(try_samples(FOUND.filters, FOUND.mandatory))


@pytest.mark.parametrize("tried", TRIED, ids=[f"{one.filter.id}:{one.sample.declared_at.line}" for one in TRIED])
def test_a_sample_goes_where_its_author_says(tried: Tried):
    assert tried.right, "\n".join(tried.verdict.lines())


def test_each_use_case_shows_an_event_that_passes_and_one_that_does_not():
    lacking = [one.id for one in FOUND.filters if not {True, False} <= {sample.passes for sample in one.samples}]
    assert not lacking
