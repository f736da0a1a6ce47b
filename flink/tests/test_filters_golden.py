"""What the cars' filters compile to, as SQL that people review; and that nothing a spec says gets out of its quotes."""

import os
from pathlib import Path
from typing import ClassVar

import pytest
import sqlglot
from sqlglot.tokens import Tokenizer

from flink.compile import compile_resources
from flink.events import routing
from project.environment import Environment
from project.loader import load_project
from project.models import Project, Stream

GOLDEN = Path(__file__).with_name("golden") / "routing.sql"
CARS = load_project(Path(__file__).parents[2] / "examples" / "cars")


def test_the_cars_compile_to_their_golden_text(environment: Environment):
    [job] = compile_resources(CARS, environment)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(job.text)
    assert job.text == GOLDEN.read_text()


def test_the_job_waits_for_every_topic_that_it_writes(environment: Environment):
    [job] = compile_resources(CARS, environment)
    written = {"car-events", "high-value-loans", "loan-events", "service-events"}
    assert {f"topic/cars.events.filtered-{topic}" for topic in written} | {"topic/cars.events.routing-dead-letters"} <= set(job.depends_on)


def test_a_filter_that_is_off_is_no_part_of_the_job(environment: Environment):
    [job] = compile_resources(CARS, environment)
    assert "car-creation-filter" in job.text and "high-value-loan-filter" not in job.text


HOSTILE = ["O'Hara' OR '1'='1", "'; drop table events; --", "\\'", "`", "${x}", "*/ /*", "\n-- ", "a''b"]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_filter_says_is_one_literal(text: str):
    def compiled(value: str, key: str) -> list[str]:
        field = f"updatedAttributes['{key}']"
        one = {"id": "a", "name": value, "consumerId": "a", "outputTopic": "a", "enabled": True,
               "conditions": [{"field": field, "operator": "in", "values": [value, "x"]}]}  # fmt: skip
        stream = Stream.model_validate({"name": "s", "kind": "filters", "source": "s", "filters": [one]})
        tables, insert = routing(PROJECT, stream, {}, {})
        return [*tables, insert]

    key = "".join(letter for letter in text if letter not in "'\\\n") or "k"
    plain, hostile = compiled("harmless", "harmless"), compiled(text, key)
    assert len(plain) == len(hostile)
    for before, after in zip(plain, hostile, strict=True):
        shapes = [[token.token_type for token in sqlglot.tokenize(sql, read=DIALECT)] for sql in (before, after)]
        assert shapes[0] == shapes[1]


def test_paths_of_any_length_are_columns_of_their_own():
    """Flink refuses a name of more than 256 of Java's characters, of which an emoji is two."""
    way = "updatedAttributes" + "['" + "🚗" * 120 + "']"
    paths = [f"{way}.{'deeper.' * 20}{last}" for last in ("price", "weight")]
    conditions = [{"field": path, "operator": "greaterThan", "value": 1} for path in paths]
    one = {"id": "a", "name": "a", "consumerId": "a", "outputTopic": "a", "enabled": True, "conditions": conditions}
    _, insert = routing(PROJECT, Stream.model_validate({"name": "s", "kind": "filters", "source": "s", "filters": [one]}), {}, {})
    names = {token.text for token in sqlglot.tokenize(insert, read=DIALECT) if token.token_type is sqlglot.TokenType.IDENTIFIER}
    columns = {name for name in names if name.startswith("$.eventBody")}
    assert len(columns) == 4, "each as a text and as a number"
    assert all(len(column.encode("utf-16-le")) <= 512 for column in columns)


PROJECT = Project.model_validate(
    {"name": "p", "title": "", "owner": "o", "schema": "p", "sources": {}, "streams": {}, "views": {}, "dashboards": {}}
)


class DIALECT(sqlglot.Dialect):
    """Flink's quotes: doubled inside, and a backslash is a letter."""

    class Tokenizer(Tokenizer):
        IDENTIFIERS: ClassVar[list[str | tuple[str, str]]] = ["`"]
        STRING_ESCAPES: ClassVar[list[str]] = ["'"]
