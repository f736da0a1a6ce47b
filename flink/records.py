"""Records that stand before a stream, and which of them Flink cannot read: no change of any row, or one that a mirror cannot repeat."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from confluent_kafka import Consumer, Message, TopicPartition

from project.models import Column, SourceTable
from project.references import header_texts
from project.resources import Unreachable

Places = Mapping[tuple[str, int], int]  # topic and partition → offset
_TIMEOUT = 10.0  # seconds for one request
_LOOKED_AT = 500_000  # records in one look; those behind them have their turn at the next one
_LIMITS = {"SMALLINT": 1 << 15, "INT": 1 << 31, "BIGINT": 1 << 63}
_IMAGES = {"c": "after", "r": "after", "u": "after", "d": "before"}


@dataclass(frozen=True)
class Letter:
    """A record as it stands in Kafka, and why it is set aside."""

    topic: str
    partition: int
    offset: int
    written_at: int  # milliseconds since 1970
    key: bytes | None
    value: bytes
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def judged(records: Iterable[Letter], tables: Mapping[str, SourceTable]) -> Iterator[Letter]:
    """The records, those that cannot be read with the reason. `tables` by topic; no other topic is read but that of pulses."""
    return (replace(record, reason=fault(record.value, tables.get(record.topic)) or "") for record in records)


def unread(
    consumer: Consumer, places: list[TopicPartition], ends: Places, tombstones: bool = False, whole: bool = False
) -> Iterator[Letter]:
    """The records between places and ends, tombstones as empty ones if at all; no more than one look takes unless the whole is wanted,
    which is Unreachable if Kafka does not give it."""
    left = {(one.topic, one.partition) for one in places if 0 <= one.offset < ends[one.topic, one.partition]}
    consumer.assign([one for one in places if (one.topic, one.partition) in left])
    for _ in range(sys.maxsize if whole else _LOOKED_AT):
        record = consumer.poll(_TIMEOUT) if left else None
        if record is None or record.error():
            if left and whole:
                raise Unreachable(_not_given(record, min(left)))
            return
        place = str(record.topic()), record.partition() or 0
        key, value = record.key(), record.value()
        assert not isinstance(key, str) and not isinstance(value, str)
        if value is not None or tombstones:
            yield Letter(*place, record.offset() or 0, record.timestamp()[1], key, value or b"", headers=header_texts(record.headers()))
        if (record.offset() or 0) + 1 >= ends[place]:
            left.discard(place)
            consumer.incremental_unassign([TopicPartition(*place)])


def _not_given(instead: Message | None, place: tuple[str, int]) -> str:
    """Why there is no next record: what Kafka's client said instead, of its own place, or that it said nothing."""
    topic, number = (instead.topic(), instead.partition()) if instead and instead.topic() else place
    error = instead.error() if instead else None
    why = f": {error.str()}" if error else f" within {_TIMEOUT:.0f} s; look at its log"
    return f"Kafka has not given the next record of {topic}, partition {number}{why}; try again"


def fault(value: bytes, table: SourceTable | None) -> str | None:
    """Why a record is not a change that a mirror can repeat, or None; as a mirror's job would refuse it (flink/sql.py)."""
    try:
        change = json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return "it is not JSON"
    if not isinstance(change, dict):
        return "it is not a change"
    if table is None:
        return None
    if change.get("op") == "t":
        return "the table was truncated at its source, which a mirror does not repeat by itself"
    needed = _IMAGES.get(str(change.get("op")))
    if needed is None:
        return f"its operation is {change.get('op')!r}, not one of c, r, u, d"
    wanted = {image: {name: table.columns[name] for name in names} for image, names in (("before", table.key), ("after", table.columns))}
    said = next(filter(None, (_misfit(image, change.get(image), columns) for image, columns in wanted.items())), None)
    return said or _misplaced(change.get("source"), needed) or _keyless(needed, change.get(needed), table)


def _refuse(constant: str) -> None:
    """NaN and Infinity, which Python takes for JSON and Flink does not."""
    raise ValueError(constant)


def _misfit(image: str, row: Any, columns: Mapping[str, Column]) -> str | None:
    """What Flink would not read of a row, whether or not its operation needs it."""
    if row is not None and not isinstance(row, dict):
        return f"{image!r} is no row"
    misfits = (name for name, column in columns.items() if row and not _fits(row.get(name), column.mapping.flink))
    return next((f"{image}.{name} is no {columns[name].type}" for name in misfits), None)


def _misplaced(source: Any, image: str) -> str | None:
    if source is not None and not (isinstance(source, dict) and all(_fits(source.get(name), "BIGINT") for name in ("ts_ms", "lsn"))):
        return "it does not say where it comes from"
    if image == "before" and int((source or {}).get("lsn") or 0) <= 0:
        return "it deletes a row, and does not say where in the source's log"
    return None


def _keyless(image: str, row: dict[str, Any] | None, table: SourceTable) -> str | None:
    if row is None:
        return f"{image!r} is no row"
    return next((f"{image!r} has no {name}, which is of the key" for name in table.key if row.get(name) is None), None)


def _fits(value: Any, kind: str) -> bool:
    """Whether Flink reads a value as the kind of number it is to be; all that is no number it reads somehow."""
    if value is None or kind not in (*_LIMITS, "FLOAT", "DOUBLE"):
        return True
    try:
        number = int(value) if kind in _LIMITS else float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    limit = _LIMITS.get(kind)
    return not isinstance(value, bool) and (limit is None or -limit <= number < limit)
