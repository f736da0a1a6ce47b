"""What an import writes of a described database. UPDATE_GOLDEN=1 writes the files anew."""

import os
from pathlib import Path

import pytest

from project.described import DescribedColumn, DescribedDatabase, DescribedTable
from project.imported import Imported, column_type, import_database
from project.loader import load_project
from project.starting import project_name, starter_files

GOLDEN = Path(__file__).with_name("golden")
ID = DescribedColumn("id", "bigint")
DATABASE = DescribedDatabase(
    "Shop DB",
    'The shop\'s "own" database: orders,\nand who ordered.',
    (
        DescribedTable("sales", "audit_log", (ID,)),
        DescribedTable("sales", "countries", (DescribedColumn("code", "character varying(2)"),), unique=("code",)),
        DescribedTable("sales", "customers", (ID, DescribedColumn("mood", "enum"), DescribedColumn("no", "text")), ("id",)),
        DescribedTable("sales", "events_2026", (ID,), ("id",), partition_of="events"),
        DescribedTable("sales", "events", (ID,), ("id",), kind="p"),
        DescribedTable("sales", "latest", (ID,), kind="v"),
        DescribedTable(
            "sales",
            "orders",
            (
                DescribedColumn("order_id", "uuid", "The order; never used again."),
                DescribedColumn("line", "smallint"),
                DescribedColumn("total", "numeric(10,2)", "In euros, with tax: 19 %."),
                DescribedColumn("doubled", "numeric(10,2)", generated=True),
                DescribedColumn("spot", "point"),
                DescribedColumn("synced_at", "timestamp with time zone"),
                DescribedColumn("created at", "timestamp(3) with time zone"),
                DescribedColumn("OrderedBy", "citext"),
                DescribedColumn("ordered_by", "bigint"),
                DescribedColumn("paid_on", "timestamp(3) without time zone"),
            ),
            ("order_id", "line"),
            "One row per line of an order.",
            estimated_rows=1200,
        ),
        DescribedTable("sales", "Order", (ID,), ("id",)),
        DescribedTable("sales", "pulse", (ID,), ("id",)),
        DescribedTable("sales", "scratch", (ID,), ("id",), logged=False),
        DescribedTable("sales", "Visits", (DescribedColumn("at", "date"),)),
        DescribedTable("sales", "spots", (DescribedColumn("at", "point"),), ("at",)),
    ),
)


@pytest.fixture
def imported() -> Imported:
    return import_database(DATABASE, "shop", {"customers"}, "../.vscode/headrace")


def golden(name: str, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()


def test_a_database_becomes_a_source_and_a_stream(imported: Imported):
    golden("imported-source.yaml", imported.source)
    golden("imported-stream.yaml", imported.stream)


def test_what_is_left_out_says_why_and_what_to_do(imported: Imported):
    golden("left-out.txt", "".join(f"{item}\n" for item in imported.left_out))


def test_a_table_whose_name_is_taken_gets_the_sources_name_before_it(imported: Imported):
    assert imported.targets == {"customers": "shop_customers", "orders": "orders", "Order": "order_", "pulse": "shop_pulse"}


@pytest.mark.parametrize("imports", [False, True])
def test_a_new_project_is_good(imports: bool, imported: Imported, tmp_path: Path):
    files = starter_files("my-shop", "shop", imported) if imports else starter_files("my-shop")
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    project = load_project(tmp_path)
    assert project.name == "my-shop"
    assert project.views.keys() == {"freshness", "rows_per_table"}
    if imports:
        orders = project.sources["shop"].tables["orders"]
        assert (orders.schema_, orders.key) == ("sales", ("order_id", "line"))
        assert orders.columns["total"].description == "In euros, with tax: 19 %."
        assert project.sources["shop"].database == "Shop DB"


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("timestamp(3) without time zone", "timestamp"), ("character varying(20)", "varchar(20)"), ("citext", "text"),
        ("timestamp(0) with time zone", "timestamptz"), ("double precision", "double precision"),
    ],
)  # fmt: skip
def test_postgresqls_words_for_types_become_ours(text: str, spec: str):
    assert column_type(text) == spec


@pytest.mark.parametrize(("text", "name"), [("My Shop", "my-shop"), ("shop2", "shop2"), ("2026_Q1", "q1"), ("...", "project")])
def test_a_name_is_made_of_any_text(text: str, name: str):
    assert project_name(text) == name
