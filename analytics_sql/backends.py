"""The analytics database as a thing that holds a schema, tables and views, and knows which schemas of events were applied."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import cached_property

from analytics_sql import event_versions, healths, statements
from analytics_sql.compile import compile_resources
from analytics_sql.connections import Connection, connection, run
from analytics_sql.documents import database_name, view_grants
from analytics_sql.judgements import judge, refuse_foreign
from analytics_sql.marks import unmark
from analytics_sql.observed import observe, query
from analytics_sql.tables import table_changes
from analytics_sql.views import ViewWriter
from project.environment import Environment
from project.models import Project
from project.references import EVENTS
from project.resources import Backend, Difference, Document, Health, Judgement, Refused, Resource

_BOUND = 60  # seconds for a statement
_INDEXING = 3600  # seconds for the index of a table that is large already; who writes into it waits, and tries again


def open_backends(project: Project, environment: Environment) -> tuple[Backend, ...]:
    return (AnalyticsBackend(project, environment),)


class AnalyticsBackend:
    """One project's share of the analytics database. Every write is one transaction."""

    system = "analytics"

    def __init__(self, project: Project, environment: Environment) -> None:
        self._project = project
        self._environment = environment
        self._database = environment.analytics
        self._schema = project.schema_
        # Told of a table before it is created, which may begin amid its stream.
        self.creates: Callable[[Resource], None] = lambda table: None

    def read(self, resource: Resource) -> Document | None:
        with self._connection(resource.id) as connected:
            if resource.kind == "event":
                return event_versions.observe(connected, self._project, resource)
            return observe(connected, self._schema, resource)

    def judge(self, resource: Resource, observed: Document, differences: tuple[Difference, ...]) -> Judgement:
        if resource.kind == "event":
            return event_versions.judge(self._project, resource, observed)
        return judge(self._schema, resource, observed, differences)

    def write(self, resource: Resource, observed: Document | None) -> None:
        if resource.kind == "event":
            with self._connection(resource.id) as connected:
                return event_versions.enter(connected, self._project, resource)
        refusal = observed and refuse_foreign(resource, observed)
        if refusal:
            raise Refused(f"{resource.id}: {refusal}")
        if resource.kind == "table" and observed is None:
            self.creates(resource)
        with self._connection(resource.id, _INDEXING if "index" in resource.document else _BOUND) as connected:
            if resource.kind == "view":
                self._view_writer(connected).write(resource.name)
                return
            for statement in self._changes(resource, observed):
                run(connected, statement)

    def delete(self, resource_id: str) -> None:
        """Remove what carries our mark; what is gone already, or was never ours, is left alone."""
        if resource_id not in self.owned():
            return
        kind, _, name = resource_id.partition("/")
        with self._connection(resource_id) as connected:
            if kind == "view":
                self._view_writer(connected).delete(name)
            elif kind == "table":
                run(connected, f"drop table {statements.quoted(self._schema, name)}")
                run(connected, f"drop function if exists {statements.quoted(self._schema, name)}()")
            elif kind == "event":
                event_versions.forget(connected, self._schema, name)
            else:
                run(connected, f"drop function if exists {statements.quoted(name, statements.ARRIVAL)}()")
                run(connected, f"drop schema {statements.quoted(name)}")

    def owned(self) -> Iterable[str]:
        with self._connection(self._project.name) as connected:
            rows = connected.execute(query("owned"), {"schema": self._schema}).fetchall()
            marked = [f"{row['kind']}/{row['name']}" for row in rows if unmark(row["comment"]).project == self._project.name]
            return marked + event_versions.known(connected, self._schema) if f"table/{EVENTS}" in marked else marked

    def health(self, resource: Resource) -> Health:
        return healths.health(self._database, self._schema, resource)

    def expected(self, view: Resource) -> Health:
        """Whether the numbers of a view are within their bounds."""
        return healths.expected(self._database, self._schema, self._project.views[view.name])

    def url(self, resource: Resource) -> str | None:
        return None  # PostgreSQL has no page to look at.

    @cached_property
    def _views(self) -> dict[str, Document]:
        resources = compile_resources(self._project, self._environment)
        return {resource.name: resource.document for resource in resources if resource.kind == "view"}

    def _connection(self, subject: str, timeout: int = _BOUND) -> AbstractContextManager[Connection]:
        return connection(self._database, self._database.admin, subject, timeout)

    def _changes(self, resource: Resource, observed: Document | None) -> Iterable[str]:
        if resource.kind == "table":
            return table_changes(self._schema, resource, observed)
        return statements.schema_statements(resource.name, database_name(self._database), resource.document, resource.digest)

    def _view_writer(self, connected: Connection) -> ViewWriter:
        return ViewWriter(connected, self._schema, self._project.name, view_grants(self._database), self._views)
