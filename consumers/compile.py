"""Schemas of the events that a project writes as Avro → subjects of a registry: the pure door of this room."""

import json
from collections.abc import Iterator

from project.environment import Environment
from project.events.encoding import filtered_schema, subject
from project.models import Project
from project.resources import Resource


def compile_resources(project: Project, environment: Environment) -> tuple[Resource, ...]:
    """One subject for each kind of event."""
    sources = dict.fromkeys(stream.source for stream in project.streams.values() if stream.avro)
    return tuple(subject for source in sources for subject in _subjects(project, source))


def _subjects(project: Project, source: str) -> Iterator[Resource]:
    for schema in project.event_schemas(source).values():
        avro, name = filtered_schema(schema, project.name), subject(schema, project.name)
        yield Resource(
            system="registry", kind="subject", name=name,
            document={"compatibility": schema.compatibility.upper(), "schema": avro}, depends_on=(f"event/{schema.event_name}",),
            declared_at=schema.declared_at, title=name,
            description=schema.description or f"{schema.event_name} as its consumers get it in Avro.",
            text=json.dumps(avro, indent=2, ensure_ascii=False) + "\n",
            beginning=f"version {schema.version} of {schema.event_name} becomes its first version, kept {schema.compatibility} compatible",
        )  # fmt: skip
