"""What an operator is told about the analytics database."""

from typing import Any

import pytest

from analytics_sql import healths
from analytics_sql.backends import AnalyticsBackend
from analytics_sql.healths import judge_numbers
from analytics_sql.tests.applied import Analytics
from analytics_sql.tests.test_views import with_views
from infra.platform import Platform
from project.dashboards import Metric
from project.environment import AnalyticsDatabase, Environment, Secret
from project.models import Project
from project.resources import Health, Refused, State, Unreachable


def health(analytics: Analytics, resource_id: str) -> Health:
    return analytics.backend.health(analytics.resources[resource_id])


def elsewhere(analytics: Analytics, **update: object) -> Analytics:
    """The same project, where the database is said to be something else."""
    place: AnalyticsDatabase = analytics.environment.analytics.model_copy(update=update)
    return Analytics(analytics.environment.model_copy(update={"analytics": place}), analytics.project)


def test_all_is_well(analytics: Analytics):
    assert {analytics.backend.health(resource).state for resource in analytics.resources.values()} == {State.PASSED}


def test_a_table_tells_its_rows_and_when_the_latest_was_written(analytics: Analytics):
    assert health(analytics, "table/fact_orders").text == "empty"
    analytics.ask("insert into fact_orders (id) select gen_random_uuid() from generate_series(1, 1200)")
    analytics.ask("select pg_stat_force_next_flush()")
    found = health(analytics, "table/fact_orders")
    assert found.text.startswith("about 1,200 rows, the latest written at 20") and found.text.endswith(" UTC")
    assert found.facts["rows"] == 1200


def test_a_missing_table_is_said_to_be_missing(analytics: Analytics):
    analytics.ask("drop table pulse cascade")
    assert health(analytics, "table/pulse") == Health(State.FAILED, "the table does not exist; materialize it")


def test_a_view_that_takes_too_long_is_not_waited_for(analytics: Analytics, bookstore: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(healths, "_BOUND", 1)
    slow = bookstore.views["sold_orders"].sql + "\nand pg_sleep(60) is not null"
    analytics.ask("insert into fact_orders (id) values (gen_random_uuid())")
    analytics.use(with_views(bookstore, sold_orders={"sql": slow}))
    analytics.apply()
    found = health(analytics, "view/sold_orders")
    assert found == Health(State.FAILED, "view/sold_orders: the analytics database refused: canceling statement due to statement timeout")


def test_a_view_that_the_reader_may_not_read_does_not_answer(analytics: Analytics):
    analytics.ask("revoke select on sold_orders from headrace_reader")
    assert (
        health(analytics, "view/sold_orders").text
        == "view/sold_orders: the analytics database refused: permission denied for view sold_orders"
    )


def test_a_database_that_is_away_is_said_to_be_away(analytics: Analytics, platform: Platform):
    away = elsewhere(analytics, port=1)
    found = health(away, "schema/public")
    assert found.state is State.FAILED
    assert found.text.startswith(f"the analytics database 127.0.0.1:1/{analytics.environment.analytics.database} does not answer: ")
    assert found.text.endswith("; start it, or correct `analytics` in the environment file")
    with pytest.raises(Unreachable):
        away.plan()


def test_a_wrong_password_is_not_taken_for_an_absent_database(analytics: Analytics, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WRONG", "wrong")
    admin = analytics.environment.analytics.admin.model_copy(update={"password": Secret(env="WRONG")})
    with pytest.raises(Refused, match=r"refused the login of analyticsuser: .*password authentication failed") as refused:
        elsewhere(analytics, admin=admin).plan()
    assert not isinstance(refused.value, Unreachable)


def test_a_password_that_cannot_be_read_is_told(analytics: Analytics):
    admin = analytics.environment.analytics.admin.model_copy(update={"password": Secret(env="NOBODY_SET_THIS")})
    with pytest.raises(Refused, match=r"environment variable NOBODY_SET_THIS is not set; the environment file .* refers to it; set it"):
        elsewhere(analytics, admin=admin).plan()


def test_a_role_that_does_not_exist_is_named(analytics: Analytics, environment: Environment):
    reader = analytics.environment.analytics.reader.model_copy(update={"user": "nobody_knows"})
    with pytest.raises(Refused, match='schema/public: the analytics database refused: role "nobody_knows" does not exist'):
        elsewhere(analytics, reader=reader).plan()


def bounded(expression: str = "count(*)", description: str = "Orders.", **bounds: Any) -> Metric:
    return Metric(expression=expression, label="Label", description=description, **bounds)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (0, Health(State.PASSED, "orders is 0", {"orders": 0})),
        (1500.5, Health(State.PASSED, "orders is 1,500.5", {"orders": 1500.5})),
        (None, Health(State.PASSED, "orders has no value")),
        (1501, Health(State.FAILED, "orders is 1,501; expected at least 0 and at most 1,500.5: VAT of all orders", {"orders": 1501})),
        (-1, Health(State.FAILED, "orders is -1; expected at least 0 and at most 1,500.5: VAT of all orders", {"orders": -1})),
        (float("nan"), Health(State.FAILED, "orders is nan; expected at least 0 and at most 1,500.5: VAT of all orders")),
    ],
)
def test_a_number_is_within_its_bounds_or_told(bookstore: Project, value: float | None, found: Health):
    metric = bounded(description="VAT of all orders.", alarm_above=1500.5, alarm_below=0)
    view = bookstore.views["sold_orders"].model_copy(update={"metrics": {"orders": metric, "any": bounded()}})
    assert judge_numbers(view, {"orders": value}) == found


def expected(analytics: Analytics) -> Health:
    assert isinstance(analytics.backend, AnalyticsBackend)
    return analytics.backend.expected(analytics.resources["view/sold_orders"])


def with_metrics(analytics: Analytics, **metrics: Metric) -> Health:
    """What is found of the view of orders with other metrics, for which nothing is applied."""
    analytics.use(with_views(analytics.project, sold_orders={"metrics": metrics}))
    assert analytics.plan() == []
    return expected(analytics)


def test_every_number_out_of_its_bounds_is_named(analytics: Analytics):
    analytics.ask("insert into fact_orders (id, total) select gen_random_uuid(), 2.5 from generate_series(1, 3)")
    metrics = {
        "orders": bounded(alarm_above=2, description="Orders of 100 % of the customers."),
        "total": bounded("sum(total)", alarm_below=7.6, description="Totals."),
        "largest": bounded("max(total)", alarm_above=2.5),
        "unknown": bounded("sum(total) filter (where false)", alarm_below=1),
    }
    found = with_metrics(analytics, **metrics)
    assert found.text.splitlines() == [
        "orders is 3; expected at most 2: orders of 100 % of the customers", "total is 7.5; expected at least 7.6: totals",
    ]  # fmt: skip
    assert (found.state, found.facts) == (State.FAILED, {"orders": 3, "total": 7.5, "largest": 2.5})


def test_a_number_that_cannot_be_had_is_told_and_one_of_a_database_that_is_away_is_not_known(analytics: Analytics):
    analytics.ask("insert into fact_orders (id, total) values (gen_random_uuid(), 0)")
    division = with_metrics(analytics, rate=bounded("1 / sum(total)", alarm_above=1))
    assert division == Health(State.FAILED, "view/sold_orders: the analytics database refused: division by zero")
    found = expected(elsewhere(analytics, port=1))
    assert found.state is State.UNKNOWN and "does not answer" in found.text


def test_a_number_that_takes_too_long_is_not_known(analytics: Analytics, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(healths, "_BOUND", 1)
    found = with_metrics(analytics, slow=bounded("count(*) + (select 0 from pg_sleep(60))", alarm_above=1))
    assert found == Health(State.UNKNOWN, "view/sold_orders: the analytics database refused: canceling statement due to statement timeout")


def test_a_metric_may_use_a_function_of_the_schema_as_in_superset(analytics: Analytics):
    analytics.ask("create function twice(number bigint) returns bigint language sql return number * 2")
    assert with_metrics(analytics, orders=bounded("twice(count(*))", alarm_above=1)).text == "orders is 0"
