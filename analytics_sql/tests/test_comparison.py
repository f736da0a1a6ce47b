"""The SQL of a comparison, on a real server: equal rows have equal sums, a wrong one is found by its key, whatever the key's type."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from analytics_sql.comparison import BUCKETS, SETTINGS, Side, mirror_side, row_hash, source_side
from infra import databases
from infra.platform import Platform
from project.environment import Environment
from project.models import SourceTable

# Column → its type in the spec, at the source, and two values of it.
COLUMNS = {
    "number": ("integer", "integer", ("1", "2")),
    "ident": ("uuid", "uuid", ("'00000000-0000-0000-0000-00000000000a'", "'00000000-0000-0000-0000-00000000000b'")),
    "words": ("text", "text", ("'it''s, (\"a\") \\ {%%}'", "''")),
    "moment": ("timestamptz", "timestamptz", ("'2024-03-31 02:30:00+02'", "'0001-01-01 00:00+00'")),
    "price": ("numeric(10,2)", "numeric(10,2)", ("12.30", "null")),
    "facts": ("json", "json", ("""'{"b": 1, "a": [1.50]}'""", "null")),
    "mood": ("enum", "mood", ("'happy'", "'so so'")),
    "tags": ("text[]", "text[]", ("array['a', null]", "'{}'")),
    "day": ("date", "date", ("'9999-12-31'", "'infinity'")),
    "ratio": ("double precision", "double precision", ("0.1", "'NaN'")),
}
KEYS = [("number",), ("ident",), ("words",), ("moment",), ("day",), ("mood", "number"), ("price", "number")]


@pytest.fixture
def server(platform: Platform, environment: Environment) -> Iterator[psycopg.Connection]:
    """A table of every kind of value and a copy of it as a stream would write it."""
    with databases.connect(platform, "analytics", str(environment.analytics.database)) as connection:
        connection.execute("create type mood as enum ('happy', 'so so'); create schema mirror")
        connection.execute(f"create table kinds ({', '.join(f'{name} {kind}' for name, (_, kind, _) in COLUMNS.items())})".encode())
        for values in zip(*(values for _, _, values in COLUMNS.values()), strict=True):
            connection.execute(f"insert into kinds values ({', '.join(values).replace('%%', '%')})".encode())
        spec = table(("number",))
        kinds = ", ".join(f"{name} {column.mapping.analytics}" for name, column in spec.target_columns.items())
        connection.execute(f"create table mirror.kinds ({kinds})".encode())
        connection.execute(f"insert into mirror.kinds select {', '.join(source_side('kinds', spec).values)} from kinds".encode())
        connection.execute(SETTINGS.encode())
        yield connection


def table(key: tuple[str, ...]) -> SourceTable:
    return SourceTable.model_validate({"key": key, "columns": {name: {"type": kind} for name, (kind, _, _) in COLUMNS.items()}})


def both(key: tuple[str, ...]) -> tuple[Side, Side]:
    return source_side("kinds", table(key)), mirror_side("mirror", "kinds", table(key))


def asked(server: psycopg.Connection, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    return sorted(server.execute(query.encode(), parameters or None).fetchall())


@pytest.mark.parametrize("majors", [{17}, {15, 18}], ids=["servers of one version", "servers of two versions"])
@pytest.mark.parametrize("key", KEYS, ids="+".join)
def test_a_wrong_row_is_found_by_its_key(server: psycopg.Connection, key: tuple[str, ...], majors: set[int]):
    source, mirror = both(key)
    hashed = row_hash(majors)
    assert asked(server, source.counted(hashed)) == asked(server, mirror.counted(hashed))
    server.execute("update mirror.kinds set ratio = 0.2 where number = 1")
    wrong = set(asked(server, source.counted(hashed))) - set(asked(server, mirror.counted(hashed)))
    [bucket] = [row[0] for row in wrong]
    finer = set(asked(server, source.counted(hashed, True), [bucket])) - set(asked(server, mirror.counted(hashed, True), [bucket]))
    [bucket] = [row[0] for row in finer]
    mirrored = asked(server, mirror.listed(hashed, True), [bucket])
    [(found, _)] = [row for row in asked(server, source.listed(hashed, True), [bucket]) if row not in mirrored]
    columns = [[part] for part in found]
    [(_, in_source)], [(_, in_mirror)] = asked(server, source.fetched(), *columns), asked(server, mirror.fetched(), *columns)
    differing = [name for name, one, other in zip(source.columns, in_source, in_mirror, strict=True) if one != other]
    assert differing == ["ratio"]


def test_a_json_that_no_mirror_can_hold_is_a_difference_and_the_only_one(server: psycopg.Connection):
    source, mirror = both(("number",))
    held = [r'"\\u0000"', r'"\ud83d\ude00 \u00e4"', r'{"\\\ud83d\ude00": 1}']
    unheld = [r'{"a": "\u0000"}', r'"\\\u0000"', r'"\ud83d"', r'"\ude00\ud83d"']
    for number, facts in enumerate(held, 3):
        server.execute("insert into kinds (number, facts) values (%s, %s)", [number, facts])
        server.execute("insert into mirror.kinds (number, facts) values (%s, %s)", [number, facts])
    for number, facts in enumerate(unheld, 6):
        server.execute("insert into kinds (number, facts) values (%s, %s)", [number, facts])
        server.execute("insert into mirror.kinds (number, facts) values (%s, null)", [number])
    hashed = row_hash({17})
    listed = (asked(server, side.listed(hashed), list(range(BUCKETS))) for side in (source, mirror))
    equal = [key for (key, one), (_, other) in zip(*listed, strict=True) if one == other]
    assert sorted(equal) == [["1"], ["2"], ["3"], ["4"], ["5"]]


def test_null_is_not_an_empty_text(server: psycopg.Connection):
    source, mirror = both(("number",))
    server.execute("update mirror.kinds set words = null where number = 2")
    hashed = row_hash({17})
    assert asked(server, source.counted(hashed)) != asked(server, mirror.counted(hashed))
