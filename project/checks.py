"""What one file cannot know: whether the names that specs use of each other exist, are free, and fit.

A file that is broken is a problem already; what refers to it is not judged by what it might hold.
"""

import re
from collections.abc import Iterator, Mapping, Set
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from project.dashboard_checks import check_dashboards
from project.events.avro_checks import check_avro
from project.events.checks import check_events
from project.filters.reading import clashing_topics, pointless_filters, unapproved
from project.filters.samples import wrong_samples
from project.models import Project, Receiver, Source, SourceTable, Stream, Target
from project.problems import Location, Problem, listed, quoted, suggestion
from project.references import ADDED_COLUMNS, KEPT_TABLES
from project.reserved_words import RESERVED, unquoted
from project.selects import Select
from project.topics import OWN_TABLES, declared_topics
from project.view_checks import check_views

_LONGEST_NAME = 63  # of anything in PostgreSQL


def check_project(project: Project, selects: Mapping[str, Select], broken: Set[str]) -> list[Problem]:
    """Every problem between the specs. `broken` holds the files that say no spec, such as "sources/shop"."""
    return [
        *_check_time_zone(project),
        *_check_schema(project),
        *(problem for source in project.sources.values() for problem in _check_source(source, project.name)),
        *_check_connectors(project),
        *_check_ingesting(project),
        *(problem for stream in project.streams.values() for problem in _check_stream(stream, project, broken)),
        *_check_targets(project),
        *_check_filter_ids(project),
        *_check_filtered_topics(project),
        *check_events(project, broken),
        *(problem for stream in project.streams.values() for problem in check_avro(stream, project, broken)),
        *(problem for consumer in project.consumers.values() for problem in _check_consumer(consumer, project, broken)),
        *check_views(project, selects, broken),
        *check_dashboards(_without_unsure_dashboards(project, broken)),
        *_check_steps(project, broken),
    ]


def unread_topics(project: Project) -> Iterator[Problem]:
    """Topics that no consumer of a project reads, if it has any. No mistake for sure: a program may read them that it does not know."""
    read = {topic for one in project.receivers.values() for topic in project.received_topics(one)}
    for one in (one for stream in project.streams.values() for one in stream.running if project.consumers):
        for topic in (topic for topic, _ in one.outputs if project.filtered_topic(topic) not in read):
            what = f'no consumer of the project reads topic "{topic}" of filter {one.id}, which is for "{one.consumerId}"'
            if one.consumerId in project.consumers:
                way_out = f"add it to topics of consumers/{one.consumerId}.yaml"
            else:
                way_out = suggestion(one.consumerId, project.consumers, f"add consumers/{one.consumerId}.yaml, or correct consumerId")
            yield Problem.say(one.at("consumerId"), what, f"there is {listed(project.consumers)}", way_out)


def _check_time_zone(project: Project) -> Iterator[Problem]:
    try:
        ZoneInfo(project.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        what = f"there is no time zone {quoted(project.time_zone)}"
        way_out = suggestion(project.time_zone, available_timezones(), "correct it")
        yield Problem.say(project.at("time_zone"), what, 'expected an IANA name such as "Europe/Berlin"', way_out)


def _check_schema(project: Project) -> Iterator[Problem]:
    if project.schema_.startswith("pg_") or project.schema_ == "information_schema":
        what, expected = f"schema {quoted(project.schema_)} is one of PostgreSQL's own", "expected another name, without pg_ in front"
        yield Problem.say(project.at("schema"), what, expected, "write it in `schema`")


def _check_source(source: Source, project: str) -> Iterator[Problem]:
    slot = f"headrace_{project}_{source.name}"
    if len(slot) > _LONGEST_NAME:
        what = f"{len(slot)} characters in the name of the replication slot, {slot}"
        yield Problem.say(source.declared_at, what, f"expected at most {_LONGEST_NAME}", "shorten the name of the source or of the project")
    for name, table in source.tables.items():
        if name in OWN_TABLES:
            what = f'table "{name}" is written by Headrace itself'
            yield Problem.say(table.declared_at, what, "expected a table of your own", "remove it")
        for key in sorted({key for key in table.key if table.key.count(key) > 1}):
            yield Problem.say(table.at("key"), f'key column "{key}" again', "expected each once", "remove one")
        for key in table.key:
            if key not in table.columns:
                way_out = suggestion(key, table.columns, "add the column or correct the key")
                what = f'key column "{key}" is not in table {name}'
                yield Problem.say(table.at("key"), what, f"it has {listed(table.columns)}", way_out)
        yield from _check_columns(table)


def _check_columns(table: SourceTable) -> Iterator[Problem]:
    sources: dict[str, str] = {}
    for column, spec in table.columns.items():
        target = unquoted(column)
        if target in ADDED_COLUMNS:
            what = f'column "{column}" is one that Headrace adds to every table'
            yield Problem.say(spec.declared_at, what, "expected another name", "rename it at the source or leave it out")
        elif other := sources.get(target):
            what = f'columns "{other}" and "{column}" would both be "{target}" in the analytics table'
            yield Problem.say(spec.declared_at, what, "expected one of them", "rename one at the source or leave it out")
        sources.setdefault(target, column)


def _check_connectors(project: Project) -> Iterator[Problem]:
    for first, second in combinations(project.sources.values(), 2):
        if first.connector == second.connector:
            what = f'connector "{second.connector}" is also that of source {first.name} ({first.at("connector")})'
            yield Problem.say(second.at("connector"), what, "expected one per source", "rename one")


def _check_ingesting(project: Project) -> Iterator[Problem]:
    for second in project.ingesting[1:]:
        what = f"source {project.ingesting[0].name} has an ingestion as well"
        at = second.outbox.at("ingestion") if second.outbox else second.declared_at
        yield Problem.say(at, what, "expected one address of a project", "keep one of them")


def _check_stream(stream: Stream, project: Project, broken: Set[str]) -> Iterator[Problem]:
    source = project.sources.get(stream.source)
    if source is None:
        if f"sources/{stream.source}" not in broken:
            way_out = suggestion(stream.source, project.sources, f"add sources/{stream.source}.yaml or correct the name")
            what = f'there is no source "{stream.source}"'
            yield Problem.say(stream.at("source"), what, f"there is {listed(project.sources)}", way_out)
        return
    if source.outbox and stream.tables:
        what = f"source {source.name} has the events of an outbox, and no tables"
        yield Problem.say(stream.at("source"), what, "expected a source of tables", "name another, or make it a stream of kind filters")
        return
    for table, target in stream.tables.items():
        if table not in source.tables:
            way_out = suggestion(table, source.tables, f"add it to {source.declared_at.file}")
            what = f'table "{table}" is not in source {source.name}'
            yield Problem.say(target.declared_at, what, f"it has {listed(source.tables)}", way_out)
    if stream.parallelism > source.partitions:
        what = f"{stream.parallelism} tasks for topics of {source.partitions} partitions would leave some without work"
        way_out = f"lower it; `partitions` of source {source.name} can only be raised before its topics are there"
        yield Problem.say(stream.at("parallelism"), what, f"expected at most {source.partitions}", way_out)
    if stream.filters:
        yield from _check_filters(stream, source, project)


def _check_filters(stream: Stream, source: Source, project: Project) -> Iterator[Problem]:
    if source.outbox is None:
        what = f"source {source.name} has no outbox, whose events filters could route"
        way_out = f"name another, or write one into {source.declared_at.file}"
        yield Problem.say(stream.at("source"), what, "expected a source of events", way_out)
    yield from pointless_filters(stream.filters)
    yield from wrong_samples(stream.filters, stream.mandatory)
    yield from clashing_topics(stream.filters)
    yield from unapproved(stream.filters, stream.approval == "required")
    for one in stream.filters:
        for topic, _ in one.outputs:
            if project.filtered_topic(topic) == project.dead_letter_topic(stream):
                what = f'topic "{topic}" is where the stream puts what it cannot judge'
                yield Problem.say(one.declared_at, what, "expected another name", "rename it")
            if topic in project.avro_names:
                what = f'topic "{topic}" is where {topic.removesuffix("-avro")} is written as Avro'
                yield Problem.say(one.declared_at, what, "expected another name", "rename it")


def _check_filter_ids(project: Project) -> Iterator[Problem]:
    streams: dict[str, Stream] = {}
    for stream, one in project.filters:
        if (first := streams.setdefault(one.id, stream)) is not stream:
            what = f'id "{one.id}" is also that of a filter of stream {first.name}'
            yield Problem.say(one.declared_at, what, "expected each once in a project", "rename one")


def _check_filtered_topics(project: Project) -> Iterator[Problem]:
    writers: dict[str, Stream] = {}
    for stream in project.streams.values():
        for one in stream.filters:
            for topic, _ in one.outputs:
                if (first := writers.setdefault(topic, stream)) is not stream:
                    what = f'topic "{topic}" is also written by stream {first.name}'
                    yield Problem.say(one.declared_at, what, "expected one stream for a topic", "rename one")


def _check_consumer(consumer: Receiver, project: Project, broken: Set[str]) -> Iterator[Problem]:
    if any(path.startswith("streams/") for path in broken):
        return
    written = sorted({*(topic for _, one in project.filters for topic, _ in one.outputs), *project.avro_names})
    for topic in consumer.topics:
        if topic not in written:
            way_out = suggestion(topic, written, "correct it, or write a filter")
            what = f'no filter writes to topic "{topic}"'
            yield Problem.say(consumer.at("topics"), what, f"there is {listed(written)}", way_out)
    if not project.received_topics(consumer):
        named = sorted({one.consumerId for _, one in project.filters})
        way_out = suggestion(consumer.name, named, "name it in a filter, or say topics")
        what = f'no filter is for consumer "{consumer.name}"'
        yield Problem.say(consumer.declared_at, what, f"their consumerId is one of {listed(named)}", way_out)


def _check_targets(project: Project) -> Iterator[Problem]:
    writers: dict[str, tuple[Stream, Target]] = {}
    for stream in project.streams.values():
        for target in stream.tables.values():
            if target.table in RESERVED:
                what = f'table "{target.table}" is a word of SQL, which its writer cannot quote'
                yield Problem.say(target.at("table"), what, "expected another name", "rename it")
            if target.table in KEPT_TABLES:
                yield Problem.say(target.at("table"), f'table "{target.table}" is kept for Headrace', "expected another name", "rename it")
            elif target.table in writers:
                first, its_target = writers[target.table]
                what = f'table "{target.table}" is also written by stream {first.name} ({its_target.at("table")})'
                yield Problem.say(target.at("table"), what, "expected one writer of a table", "rename one")
            writers.setdefault(target.table, (stream, target))


def _check_steps(project: Project, broken: Set[str]) -> Iterator[Problem]:
    """Dagster's steps are named after what is applied, with an underscore for each dash and point."""
    first: dict[str, str] = {}
    for name, place in _named_with_dashes(project, broken):
        step = re.sub("[-.]", "_", name)
        if (other := first.setdefault(step, name)) != name:
            what = f"{name} is called {step.partition(' ')[2]} in Dagster, as {other} is"
            expected = "expected names that differ in more than dashes, points and underscores"
            yield Problem.say(place, what, expected, "rename one or leave it out")


def _named_with_dashes(project: Project, broken: Set[str]) -> Iterator[tuple[str, Location]]:
    """Kinds whose names can become one; others have no points, and dashes or underscores alone. Events: project/events/checks.py."""
    for dashboard in project.dashboards.values():
        yield f"dashboard {dashboard.name}", dashboard.declared_at
        yield from ((f"chart {dashboard.name}.{chart.chart}", chart.at("chart")) for chart in dashboard.charts)
    if "project" not in broken:  # after which many are named
        yield from ((f"topic {topic}", place) for topic, place in declared_topics(project))


def _without_unsure_dashboards(project: Project, broken: Set[str]) -> Project:
    """Leaves out the dashboards that name a broken view."""
    views = {path.removeprefix("views/") for path in broken if path.startswith("views/")}
    sure = {name: dashboard for name, dashboard in project.dashboards.items() if not _holds(dashboard.model_dump(), views)}
    return project.model_copy(update={"dashboards": sure})


def _holds(value: Any, texts: Set[str]) -> bool:
    if isinstance(value, Mapping):
        return any(_holds(part, texts) for part in value.values())
    if isinstance(value, list | tuple):
        return any(_holds(part, texts) for part in value)
    return isinstance(value, str) and value in texts
