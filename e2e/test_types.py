"""Every type that a spec can name travels exactly, with the values that usually break on such a way."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from analytics_sql.refusals import refusals
from e2e.shops import Shop, open_shop
from e2e.topics import records
from e2e.waiting import until
from flink.backends import FlinkBackend
from orchestration.verifying import verify
from project.environment import Environment

_ARRIVES = 60  # seconds

# Column → its type in the spec, its type at the source where that differs, and values as SQL. NULL is tried of each.
TYPES: dict[str, tuple[str, str, list[str]]] = {
    "truth": ("boolean", "", ["true", "false"]),
    "small": ("smallint", "", ["-32768", "32767"]),
    "whole": ("integer", "", ["-2147483648", "2147483647"]),
    "large": ("bigint", "", ["-9223372036854775808", "9223372036854775807"]),
    "money": ("numeric(38,18)", "", ["99999999999999999999.999999999999999999", "-0.000000000000000001", "'NaN'"]),
    "digits": ("numeric", "", ["'NaN'", "'-Infinity'", "1e-30", "1e131071 + 1", "0.10"]),
    "single": ("real", "", ["'NaN'", "'Infinity'", "1.17549435e-38", "3.4028235e38", "0.1", "'-0'"]),
    "double": ("double precision", "", ["'NaN'", "'-Infinity'", "4.9e-324", "1.7976931348623157e308", "0.1"]),
    "words": ("text", "", ["''", r"'äöü 😀 \\n \" '' \\x {} $1'", "repeat('0123456789', 104858)", "'NULL'"]),
    "short": ("varchar(20)", "", ["'x'", "'  spaces  '", "repeat('ü', 20)"]),
    "padded": ("char(5)", "", ["'ab'", "'abcde'"]),
    "ident": ("uuid", "", ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-4fff-8fff-ffffffffffff'"]),
    "day": ("date", "", ["'0001-01-01'", "'9999-12-31'", "'1582-10-04'", "'2024-02-29'"]),
    "hour": ("time", "", ["'00:00'", "'23:59:59.999999'", "'12:34:56.789'"]),
    "local": ("timestamp", "", ["'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'", "'2024-03-31 02:30:00'", "'1582-10-15 12:00'"]),
    "instant": ("timestamptz", "", ["'0001-01-01 00:00:00+00'", "'9999-12-31 23:59:59.999999+00'", "'2024-03-31 02:30:00+02'"]),
    "span": ("interval", "", ["'1 year 2 mons 3 days 04:05:06.789'", "'-1 year +2 days -03:00:00.000001'", "'0'", "'178000 years'"]),
    "bytes": ("bytea", "", [r"'\x'", r"'\x00ff5c27'", "decode(repeat('deadbeef', 1000), 'hex')"]),
    "notes": ("json", "", ["""'{"a": [1, null, "x"], "ü": "😀"}'""", "'null'", "'\"text\"'"]),
    "facts": ("jsonb", "", ["""'{"n": 12345678901234567890.123456789, "t": "it''s \\" \\\\ "}'""", "'[]'"]),
    "mood": ("enum", "mood", ["'happy'", "'so so'"]),
    "price": ("numeric(10,2)", "price", ["12.34"]),
    "host": ("inet", "", ["'192.168.0.1/24'", "'::1'"]),
    "network": ("cidr", "", ["'10.0.0.0/8'"]),
    "card": ("macaddr", "", ["'08:00:2b:01:02:03'"]),
    "tags": ("text[]", "", ["'{}'", "array['a', null, 'ü \"quoted\" {braces}']"]),
    "counts": ("integer[]", "", ["array[1, null, -3]", "'{}'"]),
}


@pytest.fixture
def shop(tmp_path: Path, platform: object, environment: Environment) -> Iterator[Shop]:
    with open_shop(tmp_path, environment) as opened:
        opened.source.execute("create type mood as enum ('happy', 'so so'); create domain price as numeric(10,2)")
        yield opened


@pytest.mark.parametrize("streamed", [False, True], ids=["read by the snapshot", "read from the log"])
def test_extreme_values_arrive(shop: Shop, streamed: bool):
    columns = [f"{name} {at_source or written}" for name, (written, at_source, _) in TYPES.items()]
    shop.source.execute(f"create table kinds (id integer primary key, {', '.join(columns)})".encode())
    if not streamed:
        _write_all(shop)
    shop.declare({"kinds": {"key": ["id"], "columns": {"id": "integer"} | {name: written for name, (written, _, _) in TYPES.items()}}})
    shop.apply()
    if streamed:
        _write_all(shop)
    wanted = shop.source.execute(_as_text(source=True)).fetchall()
    until(lambda: len(shop.rows("select id from kinds")) == len(wanted), _ARRIVES, "every row arrives")
    found = dict(zip(_row_ids(wanted), shop.rows(_as_text(source=False).decode()), strict=True))
    for row in wanted:
        assert found[row[0]] == row
    until(lambda: shop.rows("select from pulse"), _ARRIVES, "the first pulse arrives")
    certificate = verify(shop.catalogue(), "kinds")
    assert certificate.differences == () and certificate.rows == len(wanted)
    _write_beside_the_job(shop)
    assert dict(zip(_row_ids(wanted), shop.rows(_as_text(source=False).decode()), strict=True)) == found


def _write_beside_the_job(shop: Shop) -> None:
    """As the rows are written that stand before one which cannot be: from the same records, and with the same origin."""
    catalogue = shop.catalogue()
    flink = catalogue.backends["flink"]
    assert isinstance(flink, FlinkBackend)
    origin = "select id, source_committed_at, source_position, from_snapshot from kinds order by id"
    before = shop.rows(origin)
    flink.delete("job/shop")
    shop.analytics.execute("delete from kinds")
    read = records(shop.environment.kafka, f"{shop.name}.public.kinds")
    changes = [json.loads(record.value() or b"") for record in read]
    table = catalogue.project.sources["shop"].tables["kinds"]
    assert refusals(shop.environment.analytics, catalogue.project.schema_, "kinds", table, changes, keep=True) == {}
    assert shop.rows(origin) == before


def test_a_text_of_a_megabyte_stays_when_another_column_is_updated(shop: Shop):
    shop.source.execute("create table letters (id integer primary key, body text, stars integer)")
    shop.declare({"letters": {"key": ["id"], "columns": {"id": "integer", "body": "text", "stars": "integer"}}})
    shop.apply()
    shop.source.execute("insert into letters select 1, string_agg(md5(n::text), ''), 1 from generate_series(1, 32768) n")
    shop.source.execute("update letters set stars = 2")
    [wanted] = shop.source.execute("select length(body), md5(body), stars from letters").fetchall()
    assert wanted[0] == 1 << 20
    until(lambda: shop.rows("select length(body), md5(body), stars from letters") == [wanted], _ARRIVES, "the letter and its stars arrive")


def test_names_that_need_quotes_arrive_under_names_that_need_none(shop: Shop):
    columns = {"OrderID": "integer", "order": "text", "user": "text", "x" * 63: "text"}
    names = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    shop.source.execute(f'create table "Mixed_Case" ({names}, primary key ("OrderID", "order"))'.encode())
    shop.source.execute("""insert into "Mixed_Case" values (1, 'a', 'u', 'x')""")
    shop.declare({"Mixed_Case": {"key": ["OrderID", "order"], "columns": columns}}, {"Mixed_Case": "mixed"})
    shop.apply()
    shop.source.execute("""insert into "Mixed_Case" values (2, 'b', 'v', 'y'); update "Mixed_Case" set "user" = 'w' where "OrderID" = 1""")
    query = f"select order_id, order_, user_, {'x' * 63} from mixed order by 1"
    until(lambda: shop.rows(query) == [(1, "a", "w", "x"), (2, "b", "v", "y")], _ARRIVES, "both rows arrive")
    shop.source.execute("""delete from "Mixed_Case" where "OrderID" = 1""")
    until(lambda: shop.rows(query) == [(2, "b", "v", "y")], _ARRIVES, "the deletion arrives")


def _write_all(shop: Shop) -> None:
    """A row of NULLs, and one for each value."""
    values = [(name, value) for name, (_, _, all_of_it) in TYPES.items() for value in all_of_it]
    shop.source.execute("insert into kinds (id) values (0)")
    for number, (name, value) in enumerate(values, start=1):
        shop.source.execute(f"insert into kinds (id, {name}) values ({number}, {value})".encode())


def _as_text(source: bool) -> bytes:
    """Every column as PostgreSQL writes it, the source's as the analytics table is to hold it."""
    columns = [_stored(name, written) if source else name for name, (written, _, _) in TYPES.items()]
    return f"select id, {', '.join(f'({column})::text' for column in columns)} from kinds order by id".encode()


def _stored(name: str, written: str) -> str:
    match written:
        case "timestamptz":
            return f"{name} at time zone 'utc'"
        case "json":
            return f"{name}::jsonb"
        case _:
            return f"to_jsonb({name})" if written.endswith("[]") else name


def _row_ids(rows: list[tuple[object, ...]]) -> list[object]:
    return [row[0] for row in rows]
