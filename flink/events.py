"""Flink SQL of filters: one reading of the events, one writing to all topics, and between them who gets what.

Events are texts: what passes is the producer's own text with `filterMetadata` in front, so nothing of it is read and written anew.
Each step adds columns to the one before by `unnest` of a single row, because Flink would work out an expression again wherever a
plain column of a step is used.
"""

import json
import re
from collections.abc import Iterator

from flink.conditions import Columns, judged
from flink.ddl import create_table, lines, literal, quoted
from project.filters.conditions import Group
from project.filters.models import Filter
from project.filters.paths import parse_path
from project.filters.samples import UNSTAMPABLE
from project.models import LARGEST_EVENT, Project, Stream

_LARGEST_STEP = 10_000  # characters
_STAMPED = '{"filterMetadata":'  # what every event that passes begins with
ORIGIN, REASON = "headrace.origin", "headrace.reason"  # headers: partition and offset of the raw event; why it is set aside
SNAPSHOT = "headrace.snapshot"  # header of an event that was read from its table, not from the log: it may have come before
REPLAYED = "headrace.replayed"  # header: the dead letter that an event was until it was judged again
_STAMP = re.compile(
    (re.escape(_STAMPED) + r'\{"filterId":"([a-z0-9-]+)","ruleVersion":([0-9]+),"consumerId":"[a-z0-9-]+","filteredAt":[0-9]+\},').encode()
)  # as `stamp` writes it
_ORIGIN = re.compile("([0-9]+):([0-9]+)")
_DOUBT = re.compile(r"filter ([a-z0-9-]+), version ([0-9]+): ")
_READ = {
    "record": "BYTES",
    "record_key": "BYTES",
    "headers": "MAP<STRING, BYTES> METADATA VIRTUAL",
    "partition": "INT METADATA VIRTUAL",
    "offset": "BIGINT METADATA VIRTUAL",
    "taken": "TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL",
}
_WRITTEN = {"topic": "STRING METADATA", "headers": "MAP<STRING, BYTES> METADATA", "record_key": "BYTES", "record": "BYTES"}
# Bytes on both sides: what cannot be read as a text is set aside as it came.
FORMATS = {"key.format": "raw", "key.fields": "record_key", "value.format": "raw", "value.fields-include": "EXCEPT_KEY"}
_DECODED = """`decoded` as (
select `record`, `record_key`, `partition`, `offset`, `taken`, decode(`record`, 'UTF-8') as `event`,
  coalesce(decode(`headers`['__op'], 'UTF-8') = 'r', false) as `snapshot`,
  extract(epoch from `taken`) * 1000000 + extract(millisecond from `taken`) * 1000 as `taken_us`
from `events`
)"""
# In brackets of either kind, something behind the event would be part of no JSON; a key that stands twice is none to Flink.
_NO_VALUE = "try_parse_json('[' || `event` || ']') is null"
_NOT_JSON = f"""{_NO_VALUE} or try_parse_json('{{"event":' || `event` || '}}') is null"""
_REST = "substring(`event` from position('{' in `event`) + 1)"  # behind the brace that opens the event
# What only an object can bear that has a key, and not this one; and what is said of an event that cannot bear it.
_UNSTAMPABLE = f"""{_NO_VALUE} or try_parse_json('{{"event":{{"filterMetadata":0,' || {_REST} || '}}') is null"""
_WHY = f"""case when {_NOT_JSON} then 'it is not one JSON value with each key once'
      when json_exists(`event`, '$.filterMetadata') then 'it has been through a filter'
      else '{UNSTAMPABLE}' end"""
# Debezium counts a character beyond U+FFFF twice.
_CUT = (
    f"char_length(`event`) >= {LARGEST_EVENT // 2}"
    f" and char_length(decode(encode(`event`, 'UTF-16BE'), 'ISO-8859-1')) >= {LARGEST_EVENT * 2} and ({_NOT_JSON})"
)
_FAULTS = (
    ("`event` is null", "'it is empty'"),
    ("encode(`event`, 'UTF-8') <> `record`", "'it is not UTF-8'"),
    (_CUT, f"'it is longer than {LARGEST_EVENT:,} characters, and the rest was cut off'"),
    (_UNSTAMPABLE, _WHY),
)
_SAID = {ORIGIN: "`origin`", SNAPSHOT: "'true'", REASON: "`reason`"}


def _headers(*names: str) -> str:
    return "map[" + ", ".join(f"'{name}', encode({_SAID[name]}, 'UTF-8')" for name in names) + "]"


_ROUTED = f"""select `topic`,
  case when `reason` is null and not `snapshot` then {_headers(ORIGIN)}
    when `reason` is null then {_headers(ORIGIN, SNAPSHOT)}
    when not `snapshot` then {_headers(ORIGIN, REASON)}
    else {_headers(ORIGIN, SNAPSHOT, REASON)} end,
  `record_key`,
  case when `stamp` is null then `record` else encode(`stamp` || cast(`now_ms` as string) || '}},' || {_REST}, 'UTF-8') end
from (
  select *, cast(`partition` as string) || ':' || cast(`offset` as string) as `origin`,
    extract(epoch from localtimestamp) * 1000 + extract(millisecond from localtimestamp) as `now_ms`
  from `routes`
)
where `topic` is not null"""


def routing(project: Project, stream: Stream, read: dict[str, str], written: dict[str, str]) -> tuple[list[str], str]:
    """The two tables that route a stream's events, whose options are `read` and `written`, and the insert."""
    columns, verdicts, doubts, dead_letters = Columns(), dict[str, str](), dict[str, str](), project.dead_letter_topic(stream)
    missing = [(f"{columns.text(parse_path(path).steps)} is null", literal(f"{path} is missing")) for path in stream.mandatory]
    faults = "".join(f"\n    when {fault} then {said}" for fault, said in (*_FAULTS, *missing))
    columns.typed["fault"] = f"case{faults} end"
    routes = [_row("`fault` is not null", dead_letters, None, "`fault`")]
    routes += [route for one in stream.running for route in _routes(project, one, columns, verdicts, doubts, dead_letters)]
    over, steps = "decoded", [_DECODED]
    for added in (*_split(columns.counts), *_split(columns.texts), *_split(columns.typed), *_split(verdicts), *_split(doubts)):
        step = f"columns_{len(steps)}"
        steps.append(_with(step, over, added))
        over = step
    steps.append(
        f"`routes` as (\nselect e.*, r.* from {quoted(over)} as e cross join unnest(array[\n"
        f"{lines(routes)}\n]) as r (`topic`, `stamp`, `reason`)\n)"
    )
    tables = [create_table("events", _READ, (), read | FORMATS), create_table("routed", _WRITTEN, (), written | FORMATS)]
    # One statement: of views in the session, Flink would read each again for every one that stands on it.
    return tables, "insert into `routed`\nwith " + ",\n".join(steps) + f"\n{_ROUTED}"


def _split(columns: dict[str, str]) -> Iterator[dict[str, str]]:
    """Parts of a size that Flink compiles quickly: the time it takes for one operator grows with the square of its code."""
    part, size = dict[str, str](), 0
    for column, sql in columns.items():
        if part and size + len(sql) > _LARGEST_STEP:
            yield part
            part, size = {}, 0
        part[column] = sql
        size += len(sql)
    if part:
        yield part


def _with(step: str, over: str, columns: dict[str, str]) -> str:
    names = ", ".join(map(quoted, columns))
    return (
        f"{quoted(step)} as (\nselect e.*, c.* from {quoted(over)} as e cross join unnest(array[row(\n"
        f"{lines(columns.values())}\n)]) as c ({names})\n)"
    )


def _routes(
    project: Project, one: Filter, columns: Columns, verdicts: dict[str, str], doubts: dict[str, str], dead_letters: str
) -> Iterator[str]:
    """Of a filter: where its events go, and what becomes of those that it cannot judge because of a value's type."""
    outputs = list[tuple[str, str]]()
    for number, (topic, more) in enumerate(one.outputs):
        met = judged(one.tree if more is None else Group(all=(one.tree, more)), columns)
        verdict = f"filter {one.id}" if number == 0 else f"filter {one.id} {number + 1}"
        verdicts[verdict] = f"case when `fault` is null then {met.truth} end"
        outputs.append((quoted(verdict), met.mistyped))
        yield _row(quoted(verdict), project.filtered_topic(topic), stamp(one), None)
    if unsure := _unsure(outputs):
        in_doubt = f"filter {one.id} in doubt"
        doubts[in_doubt] = f"`fault` is null and {unsure}"
        yield _row(quoted(in_doubt), dead_letters, None, literal(doubt(one)))


def _unsure(outputs: list[tuple[str, str]]) -> str | None:
    """Whether an event goes nowhere, and that could be otherwise if its values were of the right types."""
    doubts = [f"({verdict} is null and {mistyped})" for verdict, mistyped in outputs if mistyped != "false"]
    passes = [f"{verdict} is not true" for verdict, _ in outputs] if len(outputs) > 1 else []
    return " and ".join([*passes, f"({' or '.join(doubts)})"]) if doubts else None


def stamp(one: Filter) -> str:
    """What stands before the time in the metadata of a filtered event."""
    said = {"filterId": one.id, "ruleVersion": one.version, "consumerId": one.consumerId}
    return f'{_STAMPED}{json.dumps(said, separators=(",", ":"))[:-1]},"filteredAt":'


def stamped(one: Filter, event: bytes, at: int) -> bytes:
    """An event as the job writes it for a filter that takes it at a time (milliseconds since 1970)."""
    return f"{stamp(one)}{at}}},".encode() + body(event)


def body(event: bytes) -> bytes:
    """What stands behind the brace that opens an event, which no filter changes; all of what has none."""
    _, brace, behind = event.partition(b"{")
    return behind if brace else event


def unstamped(record: bytes) -> tuple[str, int, bytes] | None:
    """Filter, version and body of an event that a filter has taken; None if it has no stamp."""
    found = _STAMP.match(record)
    return (found[1].decode(), int(found[2]), record[found.end() :]) if found else None


def origin(text: str) -> tuple[int, int] | None:
    """Partition and offset of a raw event, as `headrace.origin` says them; None if it says something else."""
    found = _ORIGIN.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def doubt(one: Filter) -> str:
    """Why a filter sets an event aside that it can neither take nor reject."""
    return f"filter {one.id}, version {one.version}: a value is not of the type that it compares"


def doubted(reason: str) -> tuple[str, int] | None:
    """The filter and its version that set an event aside, by the reason; None if it was no event to any of them."""
    found = _DOUBT.match(reason)
    return (found[1], int(found[2])) if found else None


def _row(condition: str, topic: str, stamped: str | None, reason: str | None) -> str:
    null = "cast(null as string)"
    return f"case when {condition}\n    then row({literal(topic)}, {literal(stamped) if stamped else null}, {reason or null}) end"
