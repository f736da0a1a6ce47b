"""A captured column that is gone at its source would be read as NULL: the jobs that read its table are ended, and what comes waits in
Kafka until the spec follows, which has the rows read again, or the column is back.
"""

from contextlib import suppress
from typing import Any

from cdc.backends import ConnectBackend, PostgresBackend
from orchestration.catalogue import Catalogue
from orchestration.exclusive import exclusive
from project.resources import Resource, Unreachable


def pause(catalogue: Catalogue, job: Resource, paused: dict[str, Any]) -> str | None:
    """End a job that reads a table which lacks a captured column, and say so as long as it has to wait; `paused` remembers it."""
    tables, flink = _incomplete(catalogue, job), catalogue.backends["flink"]
    if not tables:
        return _go_on(catalogue, job, paused)
    known = paused.setdefault(job.id, {"spec": job.digest, "tables": []})
    known["tables"] = sorted({*known["tables"], *tables})
    said = f"{', '.join(known['tables'])} lost a captured column at the source; correct the source's spec or add the column, then apply"
    if flink.read(job) is None:
        return f"{job.id} waits: {said}"
    with exclusive(catalogue.environment.analytics, catalogue.project.name):
        flink.delete(job.id)
    return f"ended {job.id}: {said}"


def _go_on(catalogue: Catalogue, job: Resource, paused: dict[str, Any]) -> None:
    """What changed meanwhile came without the column; unless it has left the spec, the tables are read again behind that."""
    known = paused.get(job.id)
    if known and known["spec"] == job.digest:
        connect, source = catalogue.backends["connect"], catalogue.project.sources[catalogue.project.streams[job.name].source]
        assert isinstance(connect, ConnectBackend)
        connect.read_tables_again(catalogue.by_id[f"connector/{source.connector}"], known["tables"])
    paused.pop(job.id, None)


def _incomplete(catalogue: Catalogue, job: Resource) -> set[str]:
    """The tables that a job reads and that lack a captured column, as far as its source answers."""
    stream = catalogue.project.streams[job.name]
    source, postgres = catalogue.project.sources[stream.source], catalogue.backends["postgres"]
    assert isinstance(postgres, PostgresBackend)
    read = {f"{source.captured[table].schema_}.{table}" for table in stream.tables or source.captured}
    with suppress(Unreachable):
        return read & postgres.incomplete(catalogue.by_id[f"capture/{source.name}"])
    return set()
