"""Rows that differ from their source are read again from it, through the chain; a row that the source lacks is removed.

Each healing leaves an observation on the table's asset, so Dagster's event log is the ledger of what was mended, when and why.
"""

import time
from collections.abc import Sequence

from analytics_sql.connections import connection, run
from cdc.backends import ConnectBackend
from orchestration.catalogue import Catalogue
from orchestration.certificates import Difference, Key
from orchestration.exclusive import exclusive
from orchestration.ledger import enter
from orchestration.verifying import Comparison, batches
from project.resources import Refused

_SIGNALLED = 500  # keys in one signal, which itself travels through Kafka
_PATIENCE = 300.0  # seconds until the rows have come again
_NAMED = 20  # keys in the ledger


def mend(catalogue: Catalogue, table: str, differences: Sequence[Difference]) -> None:
    """Make the rows that differ the source's again. Refused if they do not arrive."""
    comparison = Comparison(catalogue, table)
    with exclusive(catalogue.environment.analytics, catalogue.project.name):
        _read_again(catalogue, comparison, table, [one.key for one in differences if one.source is not None])
        _remove(catalogue, comparison, table, [one for one in differences if one.source is None])
    _wait(comparison, table, [one.key for one in differences])
    _enter(catalogue, table, differences)


def _read_again(catalogue: Catalogue, comparison: Comparison, table: str, keys: Sequence[Key]) -> None:
    stream, captured = catalogue.project.target_tables[table]
    source = catalogue.project.sources[stream.source]
    connector, backend = catalogue.by_id[f"connector/{source.connector}"], catalogue.backends["connect"]
    assert isinstance(backend, ConnectBackend)
    for some in batches(keys, _SIGNALLED):
        backend.read_rows_again(connector, f"{source.tables[captured].schema_}.{captured}", comparison.sides[0].chosen(some))


def _remove(catalogue: Catalogue, comparison: Comparison, table: str, differences: Sequence[Difference]) -> None:
    """Of rows that the source lacks: no change will ever come for them. One that has changed since then is left to its stream."""
    mirror, database = comparison.sides[1], catalogue.environment.analytics
    with connection(database, database.admin, f"table {table}") as connected:
        for one in differences:
            run(connected, f"delete from {mirror.relation} where {mirror.exactly(one.key, one.analytics or {})}")


def _wait(comparison: Comparison, table: str, keys: list[Key]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while keys := [difference.key for difference in comparison.settle(keys)[0]]:
        if time.monotonic() > deadline:
            text = f"{len(keys)} rows of {table} still differ {_PATIENCE:.0f} s after they were asked for again"
            raise Refused(f"{text}; look at the checks of the connector and the job, then try again, or `headrace reread` the source")


def _enter(catalogue: Catalogue, table: str, differences: Sequence[Difference]) -> None:
    keys = "; ".join(", ".join(difference.key) for difference in differences[:_NAMED])
    done = f"healed {len(differences)} rows that differed from the source"
    enter(catalogue, table, done, healed=len(differences), keys=keys + (" …" if len(differences) > _NAMED else ""))
