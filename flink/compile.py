"""Streams → jobs: the pure door of this room."""

import hashlib

from flink.sql import group, session, statements, topics
from project.environment import Environment
from project.models import Project, Stream
from project.references import FILTERS
from project.resources import Resource


def compile_resources(project: Project, environment: Environment) -> tuple[Resource, ...]:
    """One job per stream."""
    return tuple(_job(project, stream, environment) for stream in project.streams.values())


def _job(project: Project, stream: Stream, environment: Environment) -> Resource:
    source = project.sources[stream.source]
    parts = statements(project, stream, environment)
    settings = "\n".join(f"set '{key}' = '{value}';" for key, value in session(stream).items())
    text = "\n\n".join([settings, *(f"{part};" for part in parts)]) + "\n"
    return Resource(
        system="flink",
        kind="job",
        name=stream.name,
        # Digests of what runs under the stream's name: just one job, and this one.
        document={"running": [hashlib.sha256(text.encode()).hexdigest()[:12]]},
        depends_on=(
            f"connector/{source.connector}",
            *(f"topic/{topic}" for topic in topics(source, stream)),
            *(f"topic/{topic}" for topic in project.written_topics(stream)),
            *(f"table/{target.table}" for target in stream.tables.values()),
            "table/pulse",
            *(f"table/{FILTERS}" for _ in stream.filters[:1]),
            *(f"event/{event}" for event in project.event_schemas(stream.source)),  # beside which its filters were checked
        ),
        declared_at=stream.declared_at,
        title=stream.name,
        description=stream.description,
        text=text,
        language="sql",
        beginning=f"it reads its topics from their beginning, unless the consumer group {group(project, stream)} stands in them already",
    )
