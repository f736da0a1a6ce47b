"""A described database → the YAML of a source and of the stream that mirrors it, and what was left out with the reason. Pure."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from project.checks import check_project
from project.described import DescribedColumn, DescribedDatabase, DescribedTable
from project.models import Project, Source
from project.problems import UNPRINTABLE, LocatedMapping
from project.references import KEPT_TABLES
from project.reserved_words import RESERVED, unquoted
from project.spec_errors import say_problems
from project.types import map_type

_READ_AS_TEXT = ("citext", "name")  # capture accepts a text for them
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.()/-]*( [A-Za-z0-9_.()/-]+)*")  # needs no quotes in YAML, within braces neither
_OTHER_MEANING = frozenset("null true false yes no on off y n".split())
_NO_TABLE = {
    "v": "a view; capture the tables that it reads, and write it again in views/",
    "m": "a materialized view; capture the tables that it reads, and write it again in views/",
    "f": "a foreign table, whose changes are not in this server's log; import the database that holds it",
    "p": "partitioned, which has no mapping yet: its changes are logged under the names of its partitions",
}


@dataclass(frozen=True)
class LeftOut:
    """A table, or `table.column`, that is not in the specs; the reason ends with the way out."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


@dataclass(frozen=True)
class Imported:
    """The texts of the two files. `targets` are the captured tables with their names in the analytics database."""

    source: str
    stream: str
    targets: dict[str, str]
    left_out: tuple[LeftOut, ...]


def import_database(database: DescribedDatabase, source: str, taken: Collection[str] = (), schemas: str | None = None) -> Imported:
    """What a source of this name says. `taken` are names in use in the analytics database, `schemas` is where editors find ours."""
    blocks: list[str] = []
    targets: dict[str, str] = {}
    left_out: list[LeftOut] = []
    for table in database.tables:
        unusable = _unusable(table)
        if reason := _table_refusal(table, unusable):
            left_out.append(LeftOut(table.name, reason))
            continue
        blocks.append(_table_yaml(table, [column for column in table.columns if column.name not in unusable]))
        targets[table.name] = _target(table.name, source, {*taken, *targets.values(), *KEPT_TABLES})
        left_out += (LeftOut(f"{table.name}.{column}", reason) for column, reason in unusable.items())
    return Imported(
        _file("source", schemas, _source_yaml(database, blocks, left_out)), _file("stream", schemas, _stream_yaml(source, targets)),
        targets, tuple(left_out),
    )  # fmt: skip


def column_type(text: str) -> str:
    """PostgreSQL's text for a type as a spec says it; ValueError if it has no mapping."""
    try:
        return map_type(text).postgres
    except ValueError:
        if text in _READ_AS_TEXT:
            return "text"
        raise


def _unusable(table: DescribedTable) -> dict[str, str]:
    """Column → why it is left out."""
    found: dict[str, str] = {}
    named: dict[str, str] = {}  # in the analytics table → at the source
    for column in table.columns:
        reason, name = _column_refusal(column), unquoted(column.name)
        if name in named:
            reason = reason or f'it would be "{name}" in the analytics table, as {named[name]} is; rename one at the source'
        if reason:
            found[column.name] = reason
        else:
            named[name] = column.name
    return found


def _column_refusal(column: DescribedColumn) -> str | None:
    if column.generated:
        return "generated, and PostgreSQL does not publish such columns; compute it in a view"
    try:
        kind = column_type(column.type)
    except ValueError as error:
        return f"{str(error).partition(';')[0]}; docs/language.md lists the types that have one"
    return _said_of({"schema": "public", "key": [column.name], "columns": {column.name: kind}}, "t")


def _table_refusal(table: DescribedTable, unusable: Mapping[str, str]) -> str | None:
    name = f"{_sql_name(table.schema)}.{_sql_name(table.name)}"
    if table.partition_of:
        return f"a partition of {table.partition_of}, as which it is named there"
    if table.kind in _NO_TABLE:
        return _NO_TABLE[table.kind]
    if not table.logged:
        return f"unlogged, so that its changes are in no log; run `alter table {name} set logged`"
    if not table.key:
        return f"it has no primary key; run `alter table {name} add {_possible_key(table)}` and import again"
    for column in table.key:
        if column in unusable:
            return f"its key column {column} cannot be captured: {unusable[column]}"
    return _said_of({"schema": table.schema, "key": ["id"], "columns": {"id": "bigint"}}, table.name)


def _possible_key(table: DescribedTable) -> str:
    columns = table.unique or tuple(column.name for column in table.columns if column.name == "id")
    return f"primary key ({', '.join(map(_sql_name, columns))})" if columns else "column id bigint generated always as identity primary key"


def _said_of(table: dict[str, object], name: str) -> str | None:
    """What the models and the checks of a project say against a table, so that an import never writes what they refuse."""
    document = LocatedMapping({"name": "s", "database": "d", "connector": "c", "tables": {name: table}})
    try:
        source = Source.model_validate(document)
    except ValidationError as error:
        return say_problems(error, document)[-1].message
    parts = {"streams": {}, "consumers": {}, "views": {}, "dashboards": {}}
    project = Project.model_validate({"name": "p", "title": "", "owner": "nobody", "schema": "p", "sources": {"s": source}, **parts})
    return "; ".join(problem.message for problem in check_project(project, {}, set())) or None


def _target(table: str, source: str, taken: Collection[str]) -> str:
    """Its own name where that is free and needs no quotes, else with the source's name before it."""
    name = unquoted(table)
    return f"{source.replace('-', '_')}_{name}"[:63] if name in taken else name


def _source_yaml(database: DescribedDatabase, blocks: list[str], left_out: list[LeftOut]) -> list[str]:
    return [
        "# Read from the live database by `headrace import-source`. Yours to edit: descriptions are shown beside the data.",
        *([f"description: {_scalar(database.comment)}"] if database.comment else []),
        f"database: {_scalar(database.name)}", "tables:", *blocks,
        *(["# Left out:"] if left_out else []), *(f"#   {_one_line(str(item))}" for item in left_out),
    ]  # fmt: skip


def _table_yaml(table: DescribedTable, columns: list[DescribedColumn]) -> str:
    lines = [f"  {_scalar(table.name)}:"]
    lines += [f"    description: {_scalar(table.comment)}"] if table.comment else []
    lines += [f"    schema: {_scalar(table.schema)}"] if table.schema != "public" else []
    lines += [f"    key: [{', '.join(map(_scalar, table.key))}]", "    columns:"]
    for column in columns:
        kind = _scalar(column_type(column.type))
        said = f"{{type: {kind}, description: {_scalar(column.comment)}}}" if column.comment else kind
        lines.append(f"      {_scalar(column.name)}: {said}")
    return "\n".join(lines)


def _stream_yaml(source: str, targets: Mapping[str, str]) -> list[str]:
    return [
        "# Keeps analytics tables equal to those of the source, deletes included. Each line: table at the source: analytics table.",
        "kind: mirror", f"source: {source}", "tables:", *(f"  {_scalar(table)}: {target}" for table, target in targets.items()),
    ]  # fmt: skip


def _file(kind: str, schemas: str | None, lines: list[str]) -> str:
    head = [f"# yaml-language-server: $schema={schemas}/{kind}.json"] if schemas else []
    return "\n".join([*head, *lines]) + "\n"


def _one_line(text: str) -> str:
    return UNPRINTABLE.sub("", " ".join(text.split()))


def _scalar(text: str) -> str:
    """As YAML reads it back: a text of one line."""
    text = _one_line(text)
    return text if _PLAIN.fullmatch(text) and text.lower() not in _OTHER_MEANING else json.dumps(text, ensure_ascii=False)


def _sql_name(name: str) -> str:
    bare = re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in RESERVED
    return name if bare else '"' + name.replace('"', '""') + '"'
