"""A project's share of the analytics database: its schema, its tables and its views."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from analytics_sql import documents, statements
from project.environment import Environment
from project.events.applied import as_file, versions
from project.models import Project
from project.problems import Location
from project.references import EVENTS, kept_tables
from project.resources import Document, Resource, digest_of
from project.specs import Spec


def compile_resources(project: Project, environment: Environment) -> tuple[Resource, ...]:
    """The schema, the tables in the order of the streams, Headrace's own, the events' schemas, the views."""
    tables = (*_tables(project, environment), *_kept(project, environment))
    return (_schema(project, environment), *tables, *_events(project), *_views(project, environment))


def _schema(project: Project, environment: Environment) -> Resource:
    resource = Resource(
        "analytics",
        "schema",
        project.schema_,
        documents.schema_document(project.name, environment.analytics, project.title, statements.ARRIVAL_BODY),
        declared_at=project.at("schema"),
        title=f"Schema {project.schema_}",
        description="Holds the project's tables and views, and says what the writer's and the reader's role may do.",
        language="sql",
    )
    sql = statements.schema_statements(resource.name, documents.database_name(environment.analytics), resource.document, resource.digest)
    return replace(resource, text=statements.script(sql))


def _tables(project: Project, environment: Environment) -> Iterator[Resource]:
    for stream in project.streams.values():
        for source_table, target in stream.tables.items():
            source = project.sources[stream.source].tables[source_table]
            departure = statements.departure_body(project.schema_, target.table, source.target_key)
            document = documents.table_document(project.name, environment.analytics, source, target.description, departure)
            table = _table(project, target.table, document, _place(target, stream))
            yield replace(table, beginning=f"if its stream has begun to read {source_table} already, every row is read again for it")


def _kept(project: Project, environment: Environment) -> Iterator[Resource]:
    for name, kept in kept_tables(project).items():
        departure = statements.departure_body(project.schema_, name, kept.key)
        yield _table(project, name, documents.kept_document(project.name, environment.analytics, kept, departure), project.declared_at)


def _events(project: Project) -> Iterator[Resource]:
    """An event's newest schema, and that the versions before it are still what was applied."""
    for newest in (one for one in project.events.values() if not one.kept_as):
        digests = {str(version): digest_of(as_file(one)) for version, one in versions(project, newest.name).items()}
        yield Resource(
            "analytics", "event", newest.name,
            {"version": newest.version, "compatibility": newest.compatibility, "digests": digests},
            depends_on=(f"table/{EVENTS}",), declared_at=newest.declared_at, title=newest.name,
            description=newest.description or f"What {newest.name} holds.", text=as_file(newest),
            beginning=f"version {newest.version} is entered as the first that was applied",
        )  # fmt: skip


def _table(project: Project, name: str, document: Document, declared_at: Location) -> Resource:
    resource = Resource(
        "analytics",
        "table",
        name,
        document,
        depends_on=(f"schema/{project.schema_}",),
        declared_at=declared_at,
        title=name,
        description=document["comment"],
        language="sql",
    )
    create = statements.create_table(project.schema_, name, document)
    finish = statements.finish_table(project.schema_, name, document, resource.digest)
    return replace(resource, text=statements.script(chain([create], finish)))


def _views(project: Project, environment: Environment) -> Iterator[Resource]:
    for view in project.views.values():
        document = documents.view_document(project.name, environment.analytics, view)
        create = statements.create_view(project.schema_, view.name, view.sql)
        finish = statements.finish_view(project.schema_, view.name, document)
        yield Resource(
            "analytics",
            "view",
            view.name,
            document,
            depends_on=(f"schema/{project.schema_}", *(_relation(project, name) for name in view.reads)),
            declared_at=view.declared_at,
            title=view.title,
            description=view.description,
            text=statements.script(chain([create], finish)),
            language="sql",
        )


def _relation(project: Project, name: str) -> str:
    return f"view/{name}" if name in project.views else f"table/{name}"


def _place(*specs: Spec) -> Location:
    """Of the specs, the first that knows where it was written."""
    return next((spec.declared_at for spec in specs if spec.declared_at.line), specs[-1].declared_at)
