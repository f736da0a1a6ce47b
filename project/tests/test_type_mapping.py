"""How each PostgreSQL type travels, and what is said of those that cannot."""

import pytest

from project.types import map_type


@pytest.mark.parametrize(
    ("written", "postgres", "flink", "analytics"),
    [
        ("uuid", "uuid", "STRING", "uuid"),
        ("int4", "integer", "INT", "integer"),
        ("BIGINT", "bigint", "BIGINT", "bigint"),
        ("boolean", "boolean", "BOOLEAN", "boolean"),
        ("Numeric( 10 , 2 )", "numeric(10,2)", "STRING", "numeric(10,2)"),
        ("decimal(38)", "numeric(38,0)", "STRING", "numeric(38,0)"),
        ("numeric", "numeric", "STRING", "numeric"),
        ("character varying(80)", "varchar(80)", "STRING", "varchar(80)"),
        ("character(3)", "char(3)", "STRING", "char(3)"),
        ("char", "char(1)", "STRING", "char(1)"),
        ("varchar( 10485760 )", "varchar(10485760)", "STRING", "varchar(10485760)"),
        ("double precision", "double precision", "DOUBLE", "double precision"),
        ("date", "date", "STRING", "date"),
        ("time(3) without time zone", "time", "STRING", "time"),
        ("timestamp(3) without time zone", "timestamp", "STRING", "timestamp"),
        ("timestamp with time zone", "timestamptz", "STRING", "timestamp"),
        ("timestamptz(0)", "timestamptz", "STRING", "timestamp"),
        ("interval day to second(3)", "interval", "STRING", "interval"),
        ("json", "json", "STRING", "jsonb"),
        ("enum", "enum", "STRING", "text"),
        ("text[]", "text[]", "STRING", "jsonb"),
        ("numeric(10,2)[]", "numeric(10,2)[]", "STRING", "jsonb"),
        ("timestamp(3) with time zone[]", "timestamptz[]", "STRING", "jsonb"),
    ],
)
def test_a_type_travels(written: str, postgres: str, flink: str, analytics: str) -> None:
    mapping = map_type(written)
    assert (mapping.postgres, mapping.flink, mapping.analytics) == (postgres, flink, analytics)


def test_bytes_are_written_as_postgresql_reads_them() -> None:
    assert map_type("bytea").value.format("c") == r"'\x' || c"


@pytest.mark.parametrize(
    "written",
    [
        "point", "bytea[]", "text[][]", "", "numeric(1,2,3)", "integer(4)", "numeric(1001,2)", "numeric(2,3)", "numeric(0)", "varchar(1,2)",
        "varchar(0)", "character varying(10485761)", "char(0)[]",
    ],
)
def test_a_type_that_cannot_travel_is_refused_in_three_parts(written: str) -> None:
    with pytest.raises(ValueError, match=r"^type .*; (expected|supported) .*; \w+"):
        map_type(written)


def test_a_type_with_many_blanks_is_read_at_once() -> None:
    assert map_type("numeric" + " " * 500_000 + "(10, 2)").postgres == "numeric(10,2)"
    with pytest.raises(ValueError, match="has no mapping"):
        map_type("integer" + " " * 500_000 + "x")
