"""What a good project says, where its parts stand, and what is read out of its selects."""

import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from project.loader import load_project
from project.models import Project, SourceTable
from project.problems import Location, ProjectError
from project.references import ordered_views, target_columns, target_key
from project.selects import read_select

GOOD = Path(__file__).parent / "good"


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project(GOOD)


def test_the_files_of_a_folder_become_specs(project: Project) -> None:
    assert (project.name, project.schema_, project.time_zone) == ("shop", "shop", "Europe/Berlin")
    assert list(project.sources) == ["shop", "warehouse"]
    assert list(project.streams) == ["shop", "warehouse"]
    assert list(project.views) == ["freshness", "sales_by_day", "sold_orders"]
    assert list(project.dashboards) == ["sales"]


def test_what_is_left_out_has_its_default(project: Project, tmp_path: Path) -> None:
    assert project.sources["warehouse"].connector == "shop-warehouse"
    (tmp_path / "tea-house").mkdir()
    (tmp_path / "tea-house" / "project.yaml").write_text("title: Tea\nowner: tea@house.example\n")
    empty = load_project(tmp_path / "tea-house")
    assert (empty.name, empty.schema_, empty.time_zone) == ("tea-house", "tea_house", "UTC")


def test_short_and_long_forms_say_the_same(project: Project) -> None:
    columns = project.sources["shop"].tables["orders"].columns
    assert (columns["status"].type, columns["total"].type) == ("text", "numeric(10,2)")
    tables = project.streams["shop"].tables
    assert (tables["orders"].table, tables["customers"].table) == ("fact_orders", "dim_customers")


def test_every_spec_knows_its_line(project: Project) -> None:
    source, view = project.sources["shop"], project.views["sold_orders"]
    file = f"{GOOD}/sources/shop.yaml"
    assert source.at("connector") == Location(file, 3)
    assert source.tables["customers"].declared_at == Location(file, 15)
    assert source.tables["customers"].columns["id"].declared_at == Location(file, 19)
    assert source.tables["orders"].at("schema") == Location(file, 6), "a default stands where its spec stands"
    assert view.at("sql") == Location(f"{GOOD}/views/sold_orders.sql", 11)


def test_a_views_select_is_kept_as_written(project: Project) -> None:
    sql = project.views["sold_orders"].sql
    assert sql.startswith("-- An order without a customer is sold too.\nselect\n  o.id,")
    assert sql.endswith("where o.status is distinct from 'CANCELLED'")


@pytest.mark.parametrize("remark", ["/* Sold -- or not. */", "/* Sold. */ -- Or not.", "-- Sold. /*", "\n  -- Sold.\n\n  /* Or not. */"])
def test_remarks_before_a_select_stay_with_it(remark: str) -> None:
    select = read_select(f"{remark}\nselect id from fact_orders;\n")
    assert select.sql == f"{remark}\nselect id from fact_orders".lstrip()


@pytest.mark.parametrize(
    "written", ['" sum(revenue)"', "|\n\n      sum(revenue)", r'"sum(revenue) /* -- of all; *\/"', r'"/* of all *\/ sum(revenue) /* *\/ "']
)
def test_a_metric_may_have_white_space_and_closed_comments_around_it(written: str, tmp_path: Path) -> None:
    view = Path(shutil.copytree(GOOD, tmp_path / "shop"), "views/sales_by_day.sql")
    view.write_text(view.read_text().replace("expression: sum(revenue)\n", f"expression: {written}\n"))
    assert "sum(revenue)" in load_project(tmp_path / "shop").views["sales_by_day"].metrics["revenue_sum"].expression


def test_views_come_after_what_they_read(project: Project) -> None:
    assert project.views["sold_orders"].reads == ("fact_orders", "dim_customers")
    assert project.views["sales_by_day"].reads == ("sold_orders",), "common table expressions are not read from the database"
    assert [view.name for view in ordered_views(project)] == ["freshness", "sold_orders", "sales_by_day"]


def test_a_table_has_the_source_columns_and_ours(project: Project) -> None:
    columns = target_columns(project, "dim_customers")
    assert [(name, column.type) for name, column in columns.items()] == [
        ("id", "bigint"),
        ("name", "varchar(80)"),
        ("source_committed_at", "timestamp(3)"),
        ("source_position", "bigint"),
        ("from_snapshot", "boolean"),
        ("synced_at", "timestamp(6)"),
    ]
    assert columns["name"].description == "Name as the customer wrote it."
    assert target_key(project, "fact_stock") == ("shelf", "book_id")
    assert list(target_columns(project, "pulse"))[:3] == ["stream", "source", "pulse_at"]


def test_a_column_that_needs_quotes_has_a_name_that_needs_none(project: Project) -> None:
    names = ["OrderID", "order", "user", "status", "x" * 63, "ManyHumps" * 7]
    table = SourceTable.model_validate({"key": ["OrderID", "order"], "columns": {name: {"type": "text"} for name in names}})
    assert list(table.target_columns) == ["order_id", "order_", "user_", "status", "x" * 63, "manyhumps" * 7]
    assert table.target_key == ("order_id", "order_")


def test_loading_twice_gives_equal_projects_that_nobody_can_change(project: Project) -> None:
    assert load_project(GOOD) == project
    with pytest.raises(ValidationError, match="frozen"):
        project.title = "Other"  # type: ignore[misc]


def test_the_folder_may_be_a_link_and_hold_other_things(tmp_path: Path) -> None:
    shutil.copytree(GOOD, tmp_path / "shop")
    for name in ("README.md", "seed.sql", "sources/.hidden", "views/sold_orders.sql~"):
        (tmp_path / "shop" / name).write_text("not a spec")
    (tmp_path / "link").symlink_to("shop")
    assert load_project(tmp_path / "link").views.keys() == load_project(GOOD).views.keys()


def test_words_that_older_yaml_took_for_booleans_are_texts(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "project.yaml").write_text("title: no\nowner: on\ndescription: 12:30:45\nanalytics_title: 007\n")
    project = load_project(tmp_path / "shop")
    assert (project.title, project.owner, project.description, project.analytics_title) == ("no", "on", "12:30:45", "007")


def test_a_file_that_may_not_be_read_is_a_problem(tmp_path: Path) -> None:
    shutil.copytree(GOOD, tmp_path / "shop")
    (tmp_path / "shop" / "streams" / "more.yaml").mkdir()
    with pytest.raises(ProjectError) as raised:
        load_project(tmp_path / "shop")
    assert [str(problem.location) for problem in raised.value.problems] == [f"{tmp_path}/shop/streams/more.yaml"]
