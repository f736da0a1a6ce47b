"""Rows that were there before their table or column was declared are read as well."""

import json

from cdc.connectors import connector
from cdc.debezium import ConnectBackend
from cdc.signals import added_tables, captured_tables, snapshot_signal
from project.environment import Environment
from project.models import Project, Source
from project.resources import Resource


def config(project: Project, source: Source, environment: Environment) -> dict[str, str]:
    return connector(project, source, environment.source(source.name))


def without(source: Source, table: str, column: str | None = None) -> Source:
    kept = dict(source.tables)
    if column is None:
        del kept[table]
    else:
        columns = {name: spec for name, spec in kept[table].columns.items() if name != column}
        kept[table] = kept[table].model_copy(update={"columns": columns})
    return source.model_copy(update={"tables": kept})


def test_an_added_table_and_an_added_column_are_found(bookstore: Project, environment: Environment):
    ecom = bookstore.sources["ecom"]
    before = config(bookstore, without(without(ecom, "books"), "orders", "total"), environment)
    assert added_tables(config(bookstore, ecom, environment), before) == ("public.orders", "public.books")


def test_removing_reads_nothing_again(bookstore: Project, environment: Environment):
    ecom = bookstore.sources["ecom"]
    smaller = config(bookstore, without(without(ecom, "books"), "orders", "total"), environment)
    assert added_tables(smaller, config(bookstore, ecom, environment)) == ()
    assert added_tables(smaller, smaller) == ()


def test_everything_is_read_again_where_somebody_took_away_the_list_of_columns(bookstore: Project, environment: Environment):
    ecom = bookstore.sources["ecom"]
    desired = config(bookstore, ecom, environment)
    edited = {name: value for name, value in desired.items() if name != "column.include.list"} | {"name": ecom.connector}
    resource = Resource("connect", "connector", ecom.connector, {"config": desired})
    note = ConnectBackend(bookstore, environment).judge(resource, {"config": edited}, ()).note
    assert note and f"it reads every row of {', '.join(captured_tables(desired))};" in note


def test_the_signal_is_one_that_debezium_reads_while_it_streams():
    kind, data = snapshot_signal(["public.orders"])
    assert (kind, json.loads(data)) == ("execute-snapshot", {"type": "incremental", "data-collections": ["public.orders"]})
