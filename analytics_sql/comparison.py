"""SQL that compares a captured table with its mirror: both sides answer the same questions in the same words.

A row counts as the text that PostgreSQL writes for it, under settings that both sides share; the source's values are written as
the mirror is to hold them. Keys fall into buckets by hash, so that one number per bucket says whether its rows are equal.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analytics_sql.statements import literal, quoted
from project.models import Column, SourceTable

# Whatever a server's own settings are, both sides write a value alike.
SETTINGS = (
    "set datestyle = 'ISO, MDY'; set intervalstyle = 'postgres'; set extra_float_digits = 1; set bytea_output = 'hex'; set timezone = 'UTC'"
)
BUCKETS = 1024  # so a thousandth of a table is listed for a single wrong row
_FINER = 64  # times as many where wrong rows stand all over a large table, which would else be listed whole
# A source's json as jsonb. What jsonb cannot hold (NUL, half a pair of surrogates) is set aside on its way: it counts as the text that
# it is, which no mirror has, and keeps no other row from being compared.
_JSONB = (
    r"case when regexp_replace(replace({0}::text, '\\', ''), '\\u[dD][89abAB]..\\u[dD][c-fC-F]..', '', 'g') ~ '\\u(0000|[dD][89a-fA-F])'"
    " then to_jsonb({0}::text) else {0}::jsonb end"
)


@dataclass(frozen=True)
class Side:
    """One of the two tables. Expressions give what the mirror is to hold; `wanted` turns a key's text back into the column's own."""

    relation: str
    columns: tuple[str, ...]
    values: tuple[str, ...]
    key: tuple[str, ...]
    wanted: tuple[str, ...]

    def counted(self, row_hash: str, finer: bool = False) -> str:
        """Rows and the sum of their hashes, by bucket; by finer ones within the buckets of the one parameter."""
        bucket, within = self._bucket(row_hash, finer), f" where {self._bucket(row_hash)} = any(%s::bigint[])" if finer else ""
        sums = f"select {bucket} as bucket, count(*) as rows, sum({_hashed(row_hash, self.values)})::text as total"
        return f"{sums} from {self.relation}{within} group by 1"

    def listed(self, row_hash: str, finer: bool = False) -> str:
        """Key and hash of each row in the buckets, or the finer ones, of the one parameter."""
        found = f"select {_texts(self.key)} as key, {_hashed(row_hash, self.values)} as hash from {self.relation}"
        return f"{found} where {self._bucket(row_hash, finer)} = any(%s::bigint[])"  # of another type they are not found by hash

    def fetched(self) -> str:
        """The rows of some keys: a parameter for each column of the key, all its texts."""
        names = [f"k{number}" for number in range(len(self.key))]
        keys = f"unnest({', '.join(['%s::text[]'] * len(names))}) as wanted ({', '.join(names)})"
        same = " and ".join(wanted.format(f"wanted.{name}") for wanted, name in zip(self.wanted, names, strict=True))
        return f"select {_texts(self.key)} as key, {_texts(self.values)} as values from {self.relation} join {keys} on {same}"

    def chosen(self, keys: Iterable[tuple[str, ...]]) -> str:
        """The condition that chooses the rows of some keys."""
        rows = (" and ".join(wanted.format(literal(text)) for wanted, text in zip(self.wanted, key, strict=True)) for key in keys)
        return " or ".join(f"({row})" for row in rows)

    def exactly(self, key: tuple[str, ...], row: Mapping[str, str | None]) -> str:
        """The condition that chooses a row as long as it is still like this."""
        values = ", ".join("null" if row[column] is None else literal(str(row[column])) for column in self.columns)
        return f"({self.chosen([key])} and {_texts(self.values)} is not distinct from array[{values}]::text[])"

    def _bucket(self, row_hash: str, finer: bool = False) -> str:
        return f"({_hashed(row_hash, self.key)} & {BUCKETS * (_FINER if finer else 1) - 1})"


def row_hash(majors: set[int]) -> str:
    """The quickest function that both servers (their major versions) compute alike: PostgreSQL's own is promised within one only."""
    return "hashtextextended({}, 0)" if len(majors) == 1 else "('x' || left(md5({}), 16))::bit(64)::bigint"


def source_side(name: str, table: SourceTable) -> Side:
    """The captured table."""
    values = {column: _held(quoted(column), spec) for column, spec in table.columns.items()}
    wanted = tuple(_found(quoted(column), table.columns[column]) for column in table.key)
    relation = quoted(table.schema_, name)
    return Side(relation, tuple(table.target_columns), tuple(values.values()), tuple(values[column] for column in table.key), wanted)


def mirror_side(schema: str, target: str, table: SourceTable) -> Side:
    """The analytics table."""
    columns = table.target_columns
    wanted = tuple(f"{quoted(column)} = {{}}::{columns[column].mapping.analytics}" for column in table.target_key)
    names = tuple(map(quoted, columns))
    return Side(quoted(schema, target), tuple(columns), names, tuple(map(quoted, table.target_key)), wanted)


def _held(name: str, column: Column) -> str:
    """A source's value as its mirror is to hold it (project/types.py)."""
    kind = column.mapping.postgres
    if kind == "timestamptz":
        return f"({name} at time zone 'UTC')"
    if kind.endswith("[]"):
        return f"to_jsonb({name})"
    return _JSONB.format(name) if kind == "json" else name


def _found(name: str, column: Column) -> str:
    """How the source finds a key by its text, with its index where it has one for the type."""
    kind = column.mapping.postgres
    if kind == "timestamptz":
        return f"{name} = {{}}::timestamp at time zone 'UTC'"
    return f"{name}::text = {{}}" if kind == "enum" or kind.endswith("[]") else f"{name} = {{}}::{kind}"


def _hashed(row_hash: str, values: tuple[str, ...]) -> str:
    return row_hash.format(f"row({', '.join(values)})::text")


def _texts(values: tuple[str, ...]) -> str:
    return f"array[{', '.join(f'({value})::text' for value in values)}]"
