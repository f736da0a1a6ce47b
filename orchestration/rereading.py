"""Reading a source again, where its streams cannot go on: after a truncation, a lost slot, expired or unreadable records.

The tables are emptied and fill again; what the streams have not read is passed over, because the new reading holds it.
Single tables are read again while their streams go on, and nothing is emptied. So is an outbox: the events that it still holds come
once more, and filters pass over none of those that they have not read.
"""

from collections.abc import Iterable, Iterator, Sequence

from psycopg.sql import SQL, Identifier

from analytics_sql.connections import connection
from cdc.backends import ConnectBackend
from flink.backends import FlinkBackend
from orchestration.catalogue import Catalogue
from orchestration.dead_letters import collect
from orchestration.exclusive import exclusive
from orchestration.filter_versions import end_versions
from orchestration.ledger import enter
from project.references import PULSE
from project.resources import Refused, Resource


def emptied(catalogue: Catalogue, source: str) -> tuple[str, ...]:
    """The tables that reading a source again empties first."""
    return tuple(table for table, (stream, _) in catalogue.project.target_tables.items() if stream.source == source)


def reread_tables(catalogue: Catalogue, source: str, tables: Sequence[str]) -> Iterator[str]:
    """Have every row of some captured tables read again, between their changes; yields what was done, in words."""
    spec = catalogue.project.sources[source]
    connect = catalogue.backends["connect"]
    assert isinstance(connect, ConnectBackend)
    connect.read_tables_again(catalogue.by_id[f"connector/{spec.connector}"], [f"{spec.tables[table].schema_}.{table}" for table in tables])
    for target, (stream, table) in catalogue.project.target_tables.items():
        if stream.source == source and table in tables:
            yield f"the rows of {table} arrive again in {target}, between its changes; `headrace verify {target}` says when all is equal"


def reread(catalogue: Catalogue, source: str) -> Iterator[str]:
    """Do it; yields what was done, in words. It can be repeated, however far it came."""
    connector = catalogue.by_id[f"connector/{catalogue.project.sources[source].connector}"]
    streams = catalogue.project.streams
    jobs = [job for job in catalogue.of_kind("job") if streams[job.name].source == source and streams[job.name].tables]
    connect, flink = catalogue.backends["connect"], catalogue.backends["flink"]
    assert isinstance(connect, ConnectBackend) and isinstance(flink, FlinkBackend)
    with exclusive(catalogue.environment.analytics, catalogue.project.name):
        connect.refuse_beside_another(connector)
        _refuse_what_would_stay_empty(catalogue, flink, (catalogue.by_id[f"capture/{source}"], connector, *jobs), jobs)
        for job in jobs:
            flink.skip(job)
            yield f"stopped {job.id}"
        _empty(catalogue, source)
        if tables := emptied(catalogue, source):
            yield f"emptied {', '.join(tables)}"
        for job in (job for job in catalogue.routing if streams[job.name].source == source):
            if flink.cannot_go_on(job):
                collect(catalogue, job)  # before its filters begin anew: what is kept later is taken for theirs
                end_versions(catalogue.project, catalogue.environment, job.name)
                flink.resume(job)
                yield f"{job.id} could not go on where it stood; it does so with the first event that Kafka still holds"
        connect.read_again(connector)
        yield f"asked {connector.id} for every row of {source}"
        for job in jobs:
            flink.write(job, None)
            yield f"started {job.id}"


def _refuse_what_would_stay_empty(catalogue: Catalogue, flink: FlinkBackend, needed: Iterable[Resource], jobs: Iterable[Resource]) -> None:
    """Whatever fills the tables again has to answer, and a job that waits would not be started."""
    for resource in needed:
        catalogue.backend(resource).read(resource)
    for job in jobs:
        if reason := flink.waits(job):
            raise Refused(f"{job.id} would not be started again, because it waits: {reason}; nothing was emptied")


def _empty(catalogue: Catalogue, source: str) -> None:
    """The tables of a source. Its pulse as well: on a server that was set back a new one comes from an earlier position of its log."""
    database, schema = catalogue.environment.analytics, catalogue.project.schema_
    with connection(database, database.admin, f"the tables of {source}") as connected:
        connected.execute(SQL("delete from {} where source = %s").format(Identifier(schema, PULSE)), [source])
        if tables := [Identifier(schema, table) for table in emptied(catalogue, source)]:
            connected.execute(SQL("truncate {}").format(SQL(", ").join(tables)))


def remember(catalogue: Catalogue, source: str, tables: Sequence[str]) -> None:
    """Leave an entry in the ledger of each table that was read again; of all that were emptied if none is named."""
    for target in emptied(catalogue, source):
        _, table = catalogue.project.target_tables[target]
        if not tables or table in tables:
            enter(catalogue, target, f"read again from {source}.{table}" + ("" if tables else ", after it was emptied"))
