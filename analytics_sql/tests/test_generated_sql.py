"""The SQL of the bookstore, compared with a golden file: a changed spec or compiler shows as a changed text."""

import os
from pathlib import Path

from analytics_sql.compile import compile_resources
from infra import endpoints
from infra.platform import Platform
from project.environment import Environment
from project.models import Project

GOLDEN = Path(__file__).with_name("golden") / "bookstore.sql"
ENVIRONMENT = Environment.model_validate(endpoints.environment(Platform(Path("/checkout"), Path("/state"))))


def test_the_sql_is_the_golden_one(bookstore: Project):
    text = "\n".join(f"-- {resource.id}\n{resource.text}" for resource in compile_resources(bookstore, ENVIRONMENT))
    if os.environ.get("HEADRACE_GOLDEN") == "write":
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_a_view_depends_on_what_it_reads(bookstore: Project):
    resources = {resource.id: resource for resource in compile_resources(bookstore, ENVIRONMENT)}
    assert resources["view/vw_inventory_turnover"].depends_on == (
        "schema/public",
        "view/sold_items",
        "table/dim_books",
        "table/fact_inventory",
    )
