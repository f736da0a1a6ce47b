"""A project is applied once, touches nothing that is not ours, and what the spec no longer names can be removed."""

import pytest

from analytics_sql.tests.applied import Analytics
from project.environment import Environment
from project.models import Project
from project.resources import Refused


def test_a_second_apply_changes_nothing(environment: Environment, bookstore: Project):
    analytics = Analytics(environment, bookstore)
    assert len(analytics.apply()) == len(analytics.resources)
    assert analytics.plan() == []
    assert analytics.apply() == []


def test_everything_applied_is_owned(analytics: Analytics):
    assert set(analytics.backend.owned()) == set(analytics.resources)


@pytest.mark.parametrize(
    "made", ["table fact_orders (mine text)", "view fact_orders as select 1 as mine", "materialized view sold_items as select 1 as mine"]
)
def test_what_somebody_else_made_is_refused_and_stays(environment: Environment, bookstore: Project, made: str):
    analytics, name = Analytics(environment, bookstore), made.split(" (")[0].split(" as ")[0].split()[-1]
    analytics.apply("schema/public")
    analytics.ask(f"create {made}")
    with pytest.raises(Refused, match=f"{name} exists and was not made by Headrace; rename ours, or move that one away"):
        analytics.apply()
    assert analytics.ask(f"select * from {name}") in ([], [{"mine": 1}])


def test_a_schema_with_things_in_it_is_not_taken_over(environment: Environment, bookstore: Project):
    analytics = Analytics(environment, bookstore)
    analytics.ask("create table public.theirs (a int)")
    with pytest.raises(Refused, match="schema public exists and was not made by Headrace; name another one with `schema:`"):
        analytics.apply("schema/public")


def test_two_projects_do_not_share_a_schema(analytics: Analytics, bookstore: Project):
    with pytest.raises(Refused, match="schema public exists and belongs to the project bookstore"):
        Analytics(analytics.environment, bookstore.model_copy(update={"name": "library"})).apply("schema/public")


def test_two_projects_live_side_by_side(analytics: Analytics, bookstore: Project):
    Analytics(analytics.environment, bookstore.model_copy(update={"name": "library", "schema_": "library"})).apply()
    assert analytics.plan() == []
    assert "schema/library" not in analytics.backend.owned()


def test_what_the_spec_no_longer_names_is_removed_in_any_order_and_nothing_else(analytics: Analytics, bookstore: Project):
    analytics.ask("create table public.theirs (a int)")
    analytics.use(bookstore.model_copy(update={"views": {}}))
    for resource_id in sorted(analytics.backend.owned()):
        if resource_id.startswith("view/"):
            analytics.backend.delete(resource_id)
    assert set(analytics.backend.owned()) == set(analytics.resources)
    analytics.backend.delete("table/theirs")
    assert analytics.ask("select * from public.theirs") == []


def test_a_table_or_view_that_is_still_read_is_not_removed(analytics: Analytics):
    with pytest.raises(Refused, match="view/sold_orders: vw_avg_order_value, vw_sales_over_time still reads it; apply the project first"):
        analytics.backend.delete("view/sold_orders")
    with pytest.raises(Refused, match="table/dim_books: the analytics database refused: cannot drop table"):
        analytics.backend.delete("table/dim_books")
    assert analytics.plan() == []


def test_a_schema_that_still_holds_something_is_not_removed(analytics: Analytics):
    with pytest.raises(Refused, match="schema/public: the analytics database refused: cannot drop"):
        analytics.backend.delete("schema/public")
    assert analytics.plan() == []
