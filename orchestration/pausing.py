"""A captured column that is gone at its source would be read as NULL: the jobs that read its table are ended, and what comes waits in
Kafka until the spec follows, which has the rows read again, or the column is back.
"""

from contextlib import suppress
from typing import Any

from cdc.backends import ConnectBackend, PostgresBackend
from orchestration.catalogue import Catalogue
from orchestration.exclusive import exclusive
from project.resources import Resource, Unreachable


def pause(catalogue: Catalogue, capture: Resource, memory: dict[str, Any]) -> str | None:
    """End the jobs that read a table which lacks a captured column; what was done, in words, or None."""
    flink, ended = catalogue.backends["flink"], list[str]()
    for job in (one for one in catalogue.of_kind("job") if capture.name == catalogue.project.streams[one.name].source):
        if not (tables := _incomplete(catalogue, job)):
            continue
        paused = memory.setdefault(capture.id, {"spec": capture.digest, "tables": []})
        paused["tables"] = sorted({*paused["tables"], *tables})
        if flink.read(job) is not None:
            with exclusive(catalogue.environment.analytics, catalogue.project.name):
                flink.delete(job.id)
            ended.append(f"ended {job.id}: {_said(tables)}")
    return "; ".join(ended) or None


def go_on(catalogue: Catalogue, capture: Resource, memory: dict[str, Any]) -> str | None:
    """Once the tables are complete: what changed meanwhile came without the column, so unless it left the spec they are read again."""
    paused = memory[capture.id]
    if paused["spec"] != capture.digest:
        del memory[capture.id]
        return None
    connect = catalogue.backends["connect"]
    assert isinstance(connect, ConnectBackend)
    connector = catalogue.project.sources[capture.name].connector
    connect.read_tables_again(catalogue.by_id[f"connector/{connector}"], paused["tables"])
    del memory[capture.id]
    return f"{', '.join(paused['tables'])} have their columns again; asked {connector} for every row of them"


def why_it_waits(catalogue: Catalogue, job: Resource) -> str | None:
    """Why a job should not be submitted now, if so, as far as its source answers."""
    tables = _incomplete(catalogue, job)
    return f"{job.id} waits: {_said(tables)}" if tables else None


def _incomplete(catalogue: Catalogue, job: Resource) -> set[str]:
    """The tables that a job reads and that lack a captured column."""
    stream = catalogue.project.streams[job.name]
    source, postgres = catalogue.project.sources[stream.source], catalogue.backends["postgres"]
    assert isinstance(postgres, PostgresBackend)
    read = {f"{source.captured[table].schema_}.{table}" for table in stream.tables or source.captured}
    with suppress(Unreachable):
        return read & postgres.incomplete(catalogue.by_id[f"capture/{source.name}"])
    return set()


def _said(tables: set[str]) -> str:
    return f"{', '.join(sorted(tables))} lost a captured column at the source; correct the source's spec or add the column, then apply"
