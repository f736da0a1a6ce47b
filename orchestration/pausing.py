"""A captured column that is gone at its source would be read as NULL: the mirrors that read its table are ended, and what comes waits in
Kafka until the spec follows, which has the rows read again, or the column is back.
"""

import time
from typing import Any

from cdc.backends import ConnectBackend
from orchestration.catalogue import Catalogue, said
from orchestration.exclusive import SENSORS_WAIT, exclusive
from project.resources import Resource

_PATIENCE = 60  # seconds for which a source is not asked again that did not answer


def pause(catalogue: Catalogue, job: Resource, paused: dict[str, Any]) -> str | None:
    """End a job that reads a table which lacks a captured column, and say so as long as it has to wait; `paused` remembers it."""
    lost, flink = _ask(catalogue, job, paused), catalogue.backends["flink"]
    if lost is None:
        waits = job.id in paused and flink.read(job) is None
        return f"{job.id} waits: its source does not answer" if waits else None
    if not lost:
        return _go_on(catalogue, job, paused)
    known = paused.setdefault(job.id, {})
    for table, columns in lost.items():
        known[table] = sorted({*known.get(table, ()), *columns})
    if flink.read(job) is None:
        return f"{job.id} waits: {said(lost)}"
    with exclusive(catalogue.environment.analytics, catalogue.project.name, SENSORS_WAIT):
        # An apply that has just ended may have put another in its place.
        if flink.read(job) != job.document or not catalogue.lost_columns(job):
            return None
        flink.delete(job.id)
    return f"ended {job.id}: {said(lost)}"


def _ask(catalogue: Catalogue, job: Resource, paused: dict[str, Any]) -> dict[str, list[str]] | None:
    """What the source has lost; None if it does not answer."""
    key = f"silent {catalogue.project.streams[job.name].source}"
    if 0 < paused.get(key, 0.0) - time.time() <= _PATIENCE:  # more than that once the clock was set back
        return None
    lost = catalogue.lost_columns(job)
    paused.pop(key, None)
    if lost is None:
        paused[key] = time.time() + _PATIENCE
    return lost


def _go_on(catalogue: Catalogue, job: Resource, paused: dict[str, Any]) -> None:
    """What changed meanwhile came without the columns: tables that are to have them are read again behind that."""
    if job.id not in paused:
        return
    source, known = catalogue.project.sources[catalogue.project.streams[job.name].source], paused[job.id]
    captured = {f"{table.schema_}.{name}": table.columns.keys() for name, table in source.captured.items()}
    if again := [table for table, columns in known.items() if captured.get(table, set[str]()) & set(columns)]:
        connect = catalogue.backends["connect"]
        assert isinstance(connect, ConnectBackend)
        connect.read_tables_again(catalogue.by_id[f"connector/{source.connector}"], again)
    del paused[job.id]
