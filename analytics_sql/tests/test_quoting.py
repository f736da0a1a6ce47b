"""Whatever a spec's author writes is written down as it stands, and is never taken for SQL."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics_sql.marks import unmark
from analytics_sql.tests.applied import Analytics
from analytics_sql.tests.test_views import with_views
from project.models import ViewColumn

# Anything but NUL, which PostgreSQL's text cannot hold, and halves of characters, which UTF-8 cannot.
_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40)
_tricky = st.sampled_from(
    ["'; drop table fact_orders; --", "$arrival$", "%s %(a)s %%", "\\'", "/* */", "“’”", "[headrace other]", "${secret}", '"', " a ", "\n"]
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(description=_texts | _tricky, column=_texts | _tricky)
def test_descriptions_arrive_as_they_were_written(analytics: Analytics, description: str, column: str):
    original = analytics.project.views["sold_orders"]
    changed = {"description": description, "columns": original.columns | {"total": ViewColumn(description=column)}}
    analytics.use(with_views(analytics.project, sold_orders=changed))
    analytics.apply("view/sold_orders")
    [row] = analytics.ask("select obj_description('sold_orders'::regclass) as view, col_description('sold_orders'::regclass, 3) as total")
    assert unmark(row["view"]).text == description
    assert (row["total"] or "") == column


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_texts | _tricky)
def test_a_literal_in_a_view_arrives_as_it_was_written(analytics: Analytics, text: str):
    literal = "'" + text.replace("'", "''") + "'"
    sql = f"select id, created_at::date as sale_date, total::numeric(38, 2) as total, {literal} as said from fact_orders"
    columns = analytics.project.views["sold_orders"].columns | {"said": ViewColumn(description="")}
    analytics.use(with_views(analytics.project, sold_orders={"sql": sql, "columns": columns}))
    analytics.apply("view/sold_orders")
    analytics.ask("insert into fact_orders (id) values ('00000000-0000-0000-0000-000000000001') on conflict do nothing")
    assert analytics.ask("select said from sold_orders") == [{"said": text}]
