"""When a dataset has to be written again."""

from typing import Any

from project.environment import Environment
from project.models import Project, View
from superset_bootstrap.compile import compile_resources


def origins(project: Project, environment: Environment) -> dict[str, str]:
    """What each dataset says of where its columns' types come from."""
    datasets = [one for one in compile_resources(project, environment) if one.kind == "dataset"]
    return {one.name: one.document["extra"]["types_from"] for one in datasets}


def changed(before: Project, after: Project, environment: Environment) -> set[str]:
    old, new = origins(before, environment), origins(after, environment)
    return {name for name in old if old[name] != new[name]}


def with_view(project: Project, view: View) -> Project:
    return project.model_copy(update={"views": {**project.views, view.name: view}})


def with_column_type(project: Project, source: str, table: str, column: str, text: str) -> Project:
    def copied(spec: Any, key: str, part: str, value: Any) -> Any:
        return spec.model_copy(update={key: {**getattr(spec, key), part: value}})

    captured = project.sources[source].tables[table]
    other = captured.columns[column].model_copy(update={"type": text})
    return copied(project, "sources", source, copied(project.sources[source], "tables", table, copied(captured, "columns", column, other)))


def test_a_select_that_changed_writes_its_dataset_and_those_over_views_of_it(bookstore: Project, environment: Environment):
    items = bookstore.views["sold_items"]
    after = with_view(bookstore, items.model_copy(update={"sql": f"{items.sql} limit 1"}))
    found = changed(bookstore, after, environment)
    assert "vw_revenue_by_genre" in found
    assert "vw_freshness" not in found


def test_a_captured_column_of_another_type_writes_the_datasets_that_may_show_it(bookstore: Project, environment: Environment):
    after = with_column_type(bookstore, "ecom", "order_items", "quantity", "bigint")
    found = changed(bookstore, after, environment)
    assert "vw_revenue_by_genre" in found
    assert "vw_freshness" not in found


def test_words_of_a_view_change_no_types(bookstore: Project, environment: Environment):
    after = with_view(bookstore, bookstore.views["sold_items"].model_copy(update={"description": "Other words."}))
    assert changed(bookstore, after, environment) == set()
