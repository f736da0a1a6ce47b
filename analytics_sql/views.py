"""Replacing a view while others read it: either all of them are there afterwards, or nothing has changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from analytics_sql import statements
from analytics_sql.connections import Connection, last_cause, run
from analytics_sql.marks import definition_digest, unmark
from analytics_sql.observed import query
from project.resources import Document, Refused


@dataclass(frozen=True)
class ViewWriter:
    """Writes and drops views of one project within the caller's transaction."""

    connected: Connection
    schema: str
    project: str
    grants: Mapping[str, list[str]]  # of every view
    specs: Mapping[str, Document]  # of all views of the project

    def write(self, name: str) -> None:
        """Bring a view to its spec. Where PostgreSQL wants its readers dropped for it, they are made again."""
        try:
            with self.connected.transaction():
                self._create(name, self.specs[name])
        except psycopg.errors.InvalidTableDefinition:
            # Columns were renamed, removed, moved or retyped, which `create or replace` cannot do.
            readers = self._readers(name)
            self._drop(name, *(reader["name"] for reader in readers))
            self._create(name, self.specs[name])
            for reader in readers:
                self._restore(reader)

    def delete(self, name: str) -> None:
        """Drop a view, and with it those readers that the spec no longer names either."""
        readers = [reader["name"] for reader in self._readers(name)]
        kept = [reader for reader in readers if reader in self.specs]
        if kept:
            raise Refused(f"view/{name}: {', '.join(kept)} still reads it; apply the project first, so that nothing does")
        self._drop(name, *readers)

    def _readers(self, name: str) -> list[dict[str, Any]]:
        """Live views that read a view, each after those that it reads itself."""
        relation = statements.quoted(self.schema, name)
        readers = self.connected.execute(query("view_readers"), {"oid": relation}).fetchall()
        foreign = [f"{reader['schema']}.{reader['name']}" for reader in readers if unmark(reader["comment"]).project != self.project]
        if foreign:
            raise Refused(f"view/{name}: it must be dropped for this, but {', '.join(foreign)} reads it and is not ours; drop that first")
        return readers

    def _drop(self, *names: str) -> None:
        run(self.connected, f"drop view {', '.join(statements.quoted(self.schema, name) for name in names)}")

    def _restore(self, reader: dict[str, Any]) -> None:
        """Make a dropped reader as it was; or by its spec, where its old form no longer fits what it reads."""
        name, comment = reader["name"], unmark(reader["comment"])
        sql = reader["definition"].rstrip(";")
        as_it_was = {**reader, "project": self.project, "comment": comment.text, "sql": sql, "grants": self.grants}
        try:
            with self.connected.transaction():
                self._create(name, as_it_was, comment.digest)
        except psycopg.Error as error:
            if name not in self.specs:
                raise Refused(f"view/{name}: the spec no longer names it, and it cannot stay ({last_cause(error)}); prune first") from error
            self._create(name, self.specs[name])

    def _create(self, name: str, document: Document, digest: str | None = None) -> None:
        """Create or replace one view; its digest is known once PostgreSQL has parsed it."""
        self._resolve_names_in(self.schema)
        run(self.connected, statements.create_view(self.schema, name, document["sql"]))
        self._resolve_names_in("pg_catalog")
        digest = digest or definition_digest(document["sql"], self._definition(name))
        for statement in statements.finish_view(self.schema, name, document, digest):
            run(self.connected, statement)

    def _definition(self, name: str) -> str:
        row = self.connected.execute("select pg_get_viewdef(%s::regclass) as sql", (statements.quoted(self.schema, name),)).fetchone()
        return row["sql"] if row else ""

    def _resolve_names_in(self, schema: str) -> None:
        """Until the end of the transaction. Definitions are always read with every name qualified."""
        self.connected.execute("select set_config('search_path', %s, true)", (statements.quoted(schema),))
