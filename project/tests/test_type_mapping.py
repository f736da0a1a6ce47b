"""How each PostgreSQL type travels, and what is said of those that cannot."""

import pytest

from project.types import map_type


@pytest.mark.parametrize(
    ("written", "postgres", "flink_source", "flink_sink", "analytics"),
    [
        ("uuid", "uuid", "STRING", "STRING", "uuid"),
        ("int4", "integer", "INT", "INT", "integer"),
        ("BIGINT", "bigint", "BIGINT", "BIGINT", "bigint"),
        ("boolean", "boolean", "BOOLEAN", "BOOLEAN", "boolean"),
        ("Numeric( 10 , 2 )", "numeric(10,2)", "DECIMAL(10,2)", "DECIMAL(10,2)", "numeric(10,2)"),
        ("decimal(38)", "numeric(38)", "DECIMAL(38)", "DECIMAL(38)", "numeric(38)"),
        ("character varying(80)", "varchar(80)", "STRING", "STRING", "varchar(80)"),
        ("double precision", "double precision", "DOUBLE", "DOUBLE", "double precision"),
        ("date", "date", "STRING", "DATE", "date"),
        ("timestamp without time zone", "timestamp", "TIMESTAMP_LTZ(6)", "TIMESTAMP(6)", "timestamp"),
        ("timestamp with time zone", "timestamptz", "TIMESTAMP_LTZ(6)", "TIMESTAMP(6)", "timestamp"),
    ],
)
def test_a_type_travels(written: str, postgres: str, flink_source: str, flink_sink: str, analytics: str) -> None:
    mapping = map_type(written)
    assert (mapping.postgres, mapping.flink_source, mapping.flink_sink, mapping.analytics) == (
        postgres,
        flink_source,
        flink_sink,
        analytics,
    )
    assert mapping.needs_cast == (flink_source != flink_sink)


@pytest.mark.parametrize(
    "written",
    ["jsonb", "text[]", "", "numeric(1,2,3)", "integer(4)", "numeric", "numeric(39,2)", "numeric(2,3)", "numeric(0)", "varchar(1,2)"],
)
def test_a_type_that_cannot_travel_is_refused_in_three_parts(written: str) -> None:
    with pytest.raises(ValueError, match=r"^type .*; (expected|supported) .*; \w+"):
        map_type(written)
