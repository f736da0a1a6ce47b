"""Rows that were there before their table or column was declared are read as well."""

import json

from cdc.connectors import connector
from cdc.signals import added_tables, snapshot_signal
from project.environment import Environment
from project.models import Project, Source


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


def test_the_signal_is_one_that_debezium_reads_while_it_streams():
    kind, data = snapshot_signal(["public.orders"])
    assert (kind, json.loads(data)) == ("execute-snapshot", {"type": "incremental", "data-collections": ["public.orders"]})
