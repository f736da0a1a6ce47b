"""What two sides that were asked for the same number say of a chart."""

from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from project.charts import Proof
from project.environment import Environment
from project.models import Project
from project.resources import Refused, State
from superset_bootstrap.healths import Healths
from superset_bootstrap.proofs import Number, _number, equal, judged


def test_the_number_of_the_source_passes():
    assert judged("chart/sales.revenue", "shop", [130.0], [Decimal("130.00")]).state is State.PASSED


def test_a_number_that_the_source_had_a_moment_ago_passes():
    assert judged("chart/sales.revenue", "shop", [120.0], [Decimal("120.00"), Decimal("130.00")]).state is State.PASSED


def test_a_number_that_the_source_went_past_while_the_chart_was_asked_passes():
    health = judged("chart/sales.orders", "shop", [177745], [177733, 177751])
    assert (health.state, health.text) == (
        State.PASSED, "chart/sales.orders shows 177745, which source shop went past on its way to 177751"
    )  # fmt: skip


def test_a_number_that_the_source_went_past_long_ago_does_not_pass():
    assert judged("chart/sales.orders", "shop", [120, 120], [100, 130, 140, 150, 160, 170]).state is State.FAILED


def test_a_fraction_passes_although_json_rounded_it():
    assert judged("chart/sales.average", "shop", [186.22983109786387], [Decimal("186.2298310978638847")]).state is State.PASSED


def test_a_number_that_moves_towards_the_source_is_a_warning():
    health = judged("chart/sales.revenue", "shop", [10.0, 90.0], [Decimal("130.00")])
    assert health.state is State.WARNING
    assert health.text.startswith("chart/sales.revenue shows 90.0, but source shop says 130.00; its rows are still arriving")


def test_nothing_to_show_yet_is_a_warning():
    assert judged("chart/sales.revenue", "shop", [None], [Decimal("130.00")]).state is State.WARNING


def test_a_number_that_stands_still_and_is_not_the_sources_fails():
    health = judged("chart/sales.revenue", "shop", [55.0, 55.0], [Decimal("130.00"), Decimal("130.00")])
    assert health.state is State.FAILED
    assert dict(health.facts) == {"shown": 55.0, "in_source": 130.0}


def test_a_sum_over_no_rows_is_a_count_of_none():
    assert judged("chart/sales.cancelled", "shop", [None], [0]).state is State.PASSED


@pytest.mark.parametrize(
    ("shown", "in_source", "same"),
    [
        (1_850_000_000.0, Decimal("1850000000.00"), True),
        (1_850_000_001.85, Decimal("1850000000.00"), False),
        (1_850_000_000.01, Decimal("1850000000.00"), False),
        (1_850_000_000.01, Decimal("1850000000.01"), True),
        (123_456_789_012.34, Decimal("123456789012.35"), False),
        (10**18 + 1, 10**18, False),
        (10**18, Decimal(10**18), True),
        (10**18, Decimal(10**18 + 1), False),
        (1_850_000_000.0, 1_850_000_001, False),
        (0.1 + 0.2, 0.3, True),
        (0.3 + 1e-11, 0.3, False),
        (None, 0.0, True),
        (None, Decimal("0.01"), False),
    ],
)
def test_decimals_and_integers_are_compared_exactly_and_fractions_nearly(shown: Number, in_source: Number, same: bool):
    assert equal(shown, in_source) is same


def proven(value: Any) -> Number:
    """What a proof finds where the source answers so."""
    source: Any = SimpleNamespace(execute=lambda _: SimpleNamespace(fetchone=lambda: (value,)))
    return _number(source, Proof(source="shop", sql="select a from b"))


@pytest.mark.parametrize("value", [datetime(2026, 1, 31, 9, 30), "NEW", Decimal("nan"), float("nan")])
def test_a_proof_that_finds_no_number_is_told_with_what_it_found(value: Any):
    with pytest.raises(Refused) as refused:
        proven(value)
    assert str(refused.value) == f"source shop answers the proof with {value}; expected one number; correct its sql"


@pytest.mark.parametrize("value", [0, 12, 1.5, Decimal("130.00"), None])
def test_a_proof_finds_any_number_and_that_there_is_none(value: Number):
    assert proven(value) == value


def test_a_chart_that_shows_no_number_beside_a_proof_is_told_with_what_it_shows(bookstore: Project, environment: Environment):
    client: Any = SimpleNamespace(chart_data=lambda number, fresh: [{"latest": "NEW"}])
    with pytest.raises(Refused) as refused:
        Healths(bookstore, environment, client, client)._shown(7, "latest")
    assert str(refused.value) == "it shows NEW, and a proof expects a number; correct its metric"
