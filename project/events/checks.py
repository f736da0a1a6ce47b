"""What the schemas of a project's events say against each other, and against the filters of its streams."""

import re
from collections.abc import Iterable, Iterator, Mapping, Set

from project.events.filter_checks import unfit_filters
from project.events.models import EventSchema
from project.events.paths import LeadsNowhere, follow
from project.events.versions import check_versions
from project.filters.paths import parse_path
from project.models import Project, Source, Stream
from project.problems import Problem, listed, suggestion


def check_events(project: Project, broken: Set[str]) -> Iterator[Problem]:
    """Every problem with them. Where one cannot be read, what needs all of them is not judged."""
    for schema in project.events.values():
        yield from _check_source(schema, project, broken)
    if any(file.startswith("events/") for file in broken):
        return
    yield from check_versions(project.events.values())
    yield from _check_names(schema for schema in project.events.values() if not schema.kept_as)
    for source in project.ingesting:
        yield from _check_ingestion(source, project.event_schemas(source.name))
    for stream in project.streams.values():
        if stream.filters and (schemas := project.event_schemas(stream.source)):
            yield from unfit_filters(stream.filters, schemas)
            yield from _check_mandatory(stream, schemas)


def _check_source(schema: EventSchema, project: Project, broken: Set[str]) -> Iterator[Problem]:
    source = project.sources.get(schema.source)
    if source is None and f"sources/{schema.source}" not in broken:
        way_out = suggestion(schema.source, project.sources, f"add sources/{schema.source}.yaml or correct the name")
        yield Problem.say(schema.at("source"), f'there is no source "{schema.source}"', f"there is {listed(project.sources)}", way_out)
    if source and source.outbox is None:
        what = f"source {source.name} has no outbox, whose events these could be"
        way_out = f"name another, or write one into {source.declared_at.file}"
        yield Problem.say(schema.at("source"), what, "expected a source of events", way_out)


def _check_names(schemas: Iterable[EventSchema]) -> Iterator[Problem]:
    """Steps of Dagster and records of Avro are named after events."""
    names: dict[str, str] = {}
    for schema in schemas:
        name = re.sub("[^A-Za-z0-9_]", "_", schema.event_name)
        if (first := names.setdefault(name, schema.event_name)) != schema.event_name:
            what = f"{schema.event_name} is called {name} in Dagster and in Avro, as {first} is"
            yield Problem.say(schema.declared_at, what, "expected names that differ in letters, digits or underscores", "rename one")


def _check_ingestion(source: Source, schemas: Mapping[str, EventSchema]) -> Iterator[Problem]:
    ingestion = source.outbox and source.outbox.ingestion
    assert ingestion
    if not schemas and ingestion.validation == "strict":
        what = f"nothing declares the events of source {source.name}, so a strict ingestion could refuse none"
        way_out = "write events/<eventName>.yaml, or say fail_open"
        yield Problem.say(ingestion.declared_at, what, "expected one of them in events/ at least", way_out)
    types = {kind: None for schema in schemas.values() for kind in schema.entities}
    for kind in ingestion.entities if schemas else ():
        if kind not in types:
            what, expected = f'no event has entities of type "{kind}"', f"expected one of {listed(types)}"
            yield Problem.say(ingestion.at("entities"), what, expected, suggestion(kind, types, "correct it, or declare it in events/"))


def _check_mandatory(stream: Stream, schemas: Mapping[str, EventSchema]) -> Iterator[Problem]:
    for path in stream.mandatory:
        for schema in schemas.values():
            try:
                follow(parse_path(path).steps, [schema])
            except LeadsNowhere as error:
                yield Problem(stream.at("mandatory"), f"all {schema.event_name} would be set aside: {error}")
