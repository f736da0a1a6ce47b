"""Which version of which filter judged from where to where, by whom it was applied: a row for each in `filter_versions`."""

import getpass
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from psycopg.errors import UndefinedTable
from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb
from pydantic import ValidationError

from analytics_sql.connections import Connection, connection
from project.environment import Environment
from project.filters.differences import WORDS, differences, said_otherwise, told_anew
from project.filters.models import Filter
from project.models import Project
from project.references import DEAD_LETTERS, FILTERS
from project.resources import Refused, Resource

_OPEN = "select filter_id, topic, digest, said, begins from {filters} where stream = %s and ended_at is null"
_RAN = "select filter_id, rule_version, said from {filters} where stream = %s order by began_at"
_BEGIN = """
insert into {filters} (stream, filter_id, topic, rule_version, consumer, digest, said, began_at, began_by, begins, judged, matched,
  rejected, set_aside, counted, complete)
values (%s, %s, %s, %s, %s, %s, %s, now() at time zone 'utc', %s, %s, 0, 0, 0, 0, '{{}}', false)
"""
_END = """
update {filters} set ended_at = now() at time zone 'utc', ended_by = %s, ends = %s, complete = %s
where stream = %s and filter_id = %s and topic = %s and ended_at is null
"""
_SAY = """
update {filters} set said = %s,
  changes = coalesce(changes, '[]') || (jsonb_build_object('at', now() at time zone 'utc', 'by', %s::text) || %s)
where stream = %s and filter_id = %s and topic = %s and ended_at is null and said = %s
"""
_ELSEWHERE = "select distinct stream from {filters} where stream <> %s and topic = any(%s) and ended_at is null"
_JUDGING = "select distinct stream from {filters} where ended_at is null"
_GONE = """
update {filters} set ended_at = coalesce(ended_at, now() at time zone 'utc'), ended_by = coalesce(ended_by, %s), complete = true
where stream = %s and not complete
"""
_FOR_PEOPLE = WORDS | {"samples", "enabled"}


def enter_versions(project: Project, environment: Environment, job: Resource, places: Mapping[int, int]) -> None:
    """The filters of a stream judge from these raw events on; those that are not as before end there. Raises Refused."""
    if refusal := refuse_change(project, environment, job):
        raise Refused(refusal)
    stream, who = project.streams[job.name], getpass.getuser()
    positions = {str(partition): offset for partition, offset in places.items()}
    wanted = {(one.id, project.filtered_topic(topic)): one for one in stream.running for topic, _ in one.outputs}
    database = environment.analytics
    with connection(database, database.admin, f"table {FILTERS}") as connected:
        for row in execute(connected, project, _OPEN, [stream.name]):
            one = wanted.get((row["filter_id"], row["topic"]))
            # A stream that was set back judges events again: that is a run of its own, and what was before stays as it was last counted.
            again = _is_before(positions, row["begins"])
            if one and digest(one, stream.mandatory) == row["digest"] and not again:
                del wanted[row["filter_id"], row["topic"]]
            else:
                execute(connected, project, _END, [who, Jsonb(positions), again, stream.name, row["filter_id"], row["topic"]])
        for (name, topic), one in wanted.items():
            row = [stream.name, name, topic, one.version, one.consumerId, digest(one, stream.mandatory), _text(one), who, Jsonb(positions)]
            execute(connected, project, _BEGIN, row)


def keep_words(project: Project, environment: Environment, job: Resource) -> None:
    """What filters say beside how they judge may change while they do: it is said anew, with who changed what, and when."""
    with connection(environment.analytics, environment.analytics.admin, f"table {FILTERS}") as connected:
        for row, one, changed in _said_anew(project, job, execute(connected, project, _OPEN, [job.name])):
            said = [_text(one), getpass.getuser(), Jsonb(changed), job.name, one.id, row["topic"], row["said"]]
            execute(connected, project, _SAY, said)


def say_words(project: Project, environment: Environment, job: Resource) -> str:
    """What `keep_words` would enter; empty if nothing."""
    anew = _said_anew(project, job, _rows(project, environment, _OPEN, job.name))
    return "\n".join({one.id: told_anew(one.id, changed) for _, one, changed in anew}.values())


def _said_anew(
    project: Project, job: Resource, rows: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], Filter, dict[str, Any]]]:
    """The rows of filters that judge as they did and are otherwise told of, each with the filter and what it says otherwise."""
    running = {one.id: one for one in project.streams[job.name].running}
    for row in rows:
        before, one = read_said(row["said"]), running.get(row["filter_id"])
        if before and one and digest(before) == digest(one) and (changed := said_otherwise(before, one)):
            yield row, one, changed


def refuse_change(project: Project, environment: Environment, job: Resource) -> str | None:
    """Why the filters of a stream may not judge as they are written, if so: one ran under the same number, and judged otherwise, or the
    stream ran under another name."""
    stream = project.streams[job.name]
    said = "\n".join(again(_rows(project, environment, _RAN, stream.name), stream.running))
    return said or _refuse_another_name(project, environment, job)


def _refuse_another_name(project: Project, environment: Environment, job: Resource) -> str | None:
    """Why a stream may not begin, if so: under another name it has judged these events already, and its consumers would get all again."""
    stream = project.streams[job.name]
    rows = _rows(project, environment, _ELSEWHERE, stream.name, list(project.written_topics(stream)))
    if not (before := sorted(row["stream"] for row in rows if row["stream"] not in project.streams)):
        return None
    what = f"stream {', '.join(before)} wrote these topics, and under the name {stream.name} every event that Kafka holds would come again"
    return f"{job.declared_at}: {what}; expected the name it had; call it so, or if that is wanted, let `headrace prune` end it first"


def judging(project: Project, environment: Environment) -> set[str]:
    """The jobs whose filters have begun and not ended, whether they run just now or not."""
    return {f"job/{row['stream']}" for row in _rows(project, environment, _JUDGING)}


def end_versions(project: Project, environment: Environment, stream: str) -> None:
    """What a stream said has ended as it was last counted: the stream is there no more, or the events that it judged."""
    _rows(project, environment, _GONE, getpass.getuser(), stream)


def again(ran: Sequence[Mapping[str, Any]], running: Iterable[Filter]) -> Iterator[str]:
    """The filters that differ from what ran under their number."""
    for one in running:
        own = {row["rule_version"]: row["said"] for row in ran if row["filter_id"] == one.id}
        said = own.get(one.version)
        if said and not says(said, one):
            what = f"filter {one.id} was another in version {one.version}, so its events would not tell which of them judged"
            yield f"{one.at('version')}: {what}; expected a new number for a change; say version: {max(own) + 1}, or take the change back"


def say_change(project: Project, environment: Environment, job: Resource) -> str:
    """What the change of a stream's job means for those who get its events; empty if nothing."""
    stream = project.streams[job.name]
    rows = _rows(project, environment, _OPEN, stream.name)
    old = {row["filter_id"]: one for row in rows if (one := read_said(row["said"]))}
    return "\n".join(differences(old, {one.id: one for one in stream.running}))


def _text(one: Filter) -> str:
    return one.model_dump_json(by_alias=True, exclude_unset=True)


def read_said(said: str) -> Filter | None:
    """What a filter said; None if it would be refused by now."""
    try:
        return Filter.model_validate_json(said)
    except ValidationError:
        return None


def says(said: str, one: Filter) -> bool:
    """Whether what a filter said judges as another one."""
    before = read_said(said)
    return before is not None and digest(before) == digest(one)


def _rows(project: Project, environment: Environment, query: str, *parameters: Any) -> list[dict[str, Any]]:
    try:
        with connection(environment.analytics, environment.analytics.admin, f"table {FILTERS}") as connected:
            return execute(connected, project, query, list(parameters))
    except Refused as error:
        if isinstance(error.__cause__, UndefinedTable):  # as before the first apply
            return []
        raise


def digest(one: Filter, mandatory: Iterable[str] = ()) -> str:
    """Of all that decides how a filter judges and what it stamps; with what is mandatory in its stream, also which events it judges."""
    judging = [one.model_dump(mode="json", exclude=_FOR_PEOPLE), *mandatory]
    return hashlib.sha256(json.dumps(judging, sort_keys=True).encode()).hexdigest()[:12]


def _is_before(positions: Mapping[str, int], begins: Mapping[str, int]) -> bool:
    return any(offset < begins.get(partition, 0) for partition, offset in positions.items())


def execute(connected: Connection, project: Project, query: str, parameters: list[Any]) -> list[dict[str, Any]]:
    """Run a statement of our own over the tables {filters} and {letters}."""
    tables = {"filters": Identifier(project.schema_, FILTERS), "letters": Identifier(project.schema_, DEAD_LETTERS)}
    done = connected.execute(SQL(query).format(**tables), parameters)  # pyright: ignore[reportArgumentType] - our own texts
    return done.fetchall() if done.description else []
