"""Views change while others read them: afterwards all of them are there, or nothing has changed."""

from typing import Any

import pytest

from analytics_sql.tests.applied import Analytics
from project.models import Project, View, ViewColumn
from project.resources import Refused


def with_views(project: Project, **updates: dict[str, Any] | None) -> Project:
    """A project with some views changed; None takes one away."""
    views = {name: view for name, view in project.views.items() if updates.get(name, {}) is not None}
    changed = {name: views[name].model_copy(update=update) for name, update in updates.items() if update is not None}
    return project.model_copy(update={"views": views | changed})


def without_order_id(view: View) -> dict[str, Any]:
    """sold_items without a column that no other view reads."""
    columns = {name: column for name, column in view.columns.items() if name != "order_id"}
    return {"sql": view.sql.replace("i.order_id,", "", 1), "columns": columns}


def with_copies(view: View) -> dict[str, Any]:
    """sold_items with another name for a column that most of its readers need."""
    columns = {"copies" if name == "quantity" else name: column for name, column in view.columns.items()}
    return {"sql": view.sql.replace("as quantity", "as copies"), "columns": columns}


def everything(analytics: Analytics) -> list[Any]:
    """All that can be seen of the views."""
    return analytics.ask(
        "select oid::regclass::text as name, pg_get_viewdef(oid) as definition, obj_description(oid) as comment, relacl::text as acl "
        "from pg_class where relkind = 'v' and relnamespace = 'public'::regnamespace order by 1"
    )


def test_a_changed_select_is_applied(analytics: Analytics, bookstore: Project):
    sql = bookstore.views["sold_orders"].sql.replace("CANCELLED", "VOID")
    analytics.use(with_views(bookstore, sold_orders={"sql": sql}))
    assert analytics.apply() == ["updated view/sold_orders"]
    [row] = analytics.ask("select pg_get_viewdef('sold_orders'::regclass) as sql")
    assert "VOID" in row["sql"]


def test_a_changed_description_is_applied(analytics: Analytics, bookstore: Project):
    columns = bookstore.views["sold_orders"].columns | {"total": ViewColumn(description="100 % o'clock")}
    analytics.use(with_views(bookstore, sold_orders={"description": "Orders.", "columns": columns}))
    [change] = analytics.plan()
    assert [difference.path for difference in change.differences] == ["comment", "columns.total.comment"]
    assert analytics.apply() == ["updated view/sold_orders"]


def test_a_removed_column_leaves_the_readers_as_they_were(analytics: Analytics, bookstore: Project):
    before = [view for view in everything(analytics) if view["name"] != "sold_items"]
    analytics.use(with_views(bookstore, sold_items=without_order_id(bookstore.views["sold_items"])))
    assert analytics.apply() == ["updated view/sold_items"]
    assert [view for view in everything(analytics) if view["name"] != "sold_items"] == before
    assert analytics.ask("select * from vw_top_books_by_revenue", role="reader") == []


def test_a_renamed_column_takes_its_readers_along(analytics: Analytics, bookstore: Project):
    readers = [name for name, view in bookstore.views.items() if "sold_items" in view.reads]
    changes = {name: {"sql": bookstore.views[name].sql.replace("sum(quantity)", "sum(copies)")} for name in readers}
    changes["sold_items"] = with_copies(bookstore.views["sold_items"])
    analytics.use(with_views(bookstore, **changes))
    assert analytics.apply("view/sold_items") == ["updated view/sold_items"]
    assert analytics.plan() == []
    for name in readers:
        assert analytics.ask(f"select * from {name}", role="reader") == []


def test_a_change_that_a_reader_cannot_follow_is_refused_whole(analytics: Analytics, bookstore: Project):
    before = everything(analytics)
    analytics.use(with_views(bookstore, sold_items=with_copies(bookstore.views["sold_items"])))
    with pytest.raises(Refused, match='view/sold_items: the analytics database refused: column "quantity" does not exist'):
        analytics.apply()
    assert everything(analytics) == before


def test_a_reader_that_is_not_ours_is_not_dropped(analytics: Analytics, bookstore: Project):
    analytics.ask("create view theirs as select order_id from sold_items")
    before = everything(analytics)
    analytics.use(with_views(bookstore, sold_items=without_order_id(bookstore.views["sold_items"])))
    with pytest.raises(Refused, match=r"view/sold_items: .*, but public\.theirs reads it and is not ours; drop that first"):
        analytics.apply()
    assert everything(analytics) == before


def test_a_reader_that_the_spec_no_longer_names_stays_until_it_is_pruned(analytics: Analytics, bookstore: Project):
    changed = without_order_id(bookstore.views["sold_items"])
    analytics.use(with_views(bookstore, sold_items=changed, vw_revenue_by_genre=None))
    analytics.apply()
    assert analytics.ask("select * from vw_revenue_by_genre", role="reader") == []
    assert set(analytics.backend.owned()) - set(analytics.resources) == {"view/vw_revenue_by_genre"}
    analytics.backend.delete("view/vw_revenue_by_genre")
    assert set(analytics.backend.owned()) == set(analytics.resources)


def test_a_select_that_fails_says_which_view_and_changes_nothing(analytics: Analytics, bookstore: Project):
    before = everything(analytics)
    analytics.use(with_views(bookstore, sold_orders={"sql": "select totl from fact_orders"}))
    with pytest.raises(Refused, match='view/sold_orders: the analytics database refused: column "totl" does not exist; Perhaps you meant'):
        analytics.apply()
    assert everything(analytics) == before


@pytest.mark.parametrize(
    ("edit", "path"),
    [
        (
            "create or replace view sold_orders as select id, created_at::date as sale_date, 0::numeric(38, 2) as total from fact_orders",
            "sql",
        ),
        ("comment on view sold_orders is 'mine [headrace bookstore 0123456789ab]'", "comment"),
        ("comment on column sold_orders.total is null", "columns.total.comment"),
        ("revoke select on sold_orders from headrace_reader", "grants.headrace_reader"),
        ("grant insert on sold_orders to headrace_reader", "grants.headrace_reader"),
    ],
)
def test_a_view_changed_by_hand_is_found_and_brought_back(analytics: Analytics, edit: str, path: str):
    before = everything(analytics)
    analytics.ask(edit)
    [change] = analytics.plan()
    assert change.resource.id == "view/sold_orders"
    assert path in [difference.path for difference in change.differences]
    assert analytics.apply() == ["updated view/sold_orders"]
    assert everything(analytics) == before


def test_a_dropped_view_is_made_again(analytics: Analytics):
    before = everything(analytics)
    analytics.ask("drop view sold_orders cascade")
    assert analytics.apply() == ["created view/sold_orders", "created view/vw_avg_order_value", "created view/vw_sales_over_time"]
    assert everything(analytics) == before
