"""How a consumer does: whether somebody receives and keeps up, and what became of the events, as its program counts them."""

from dataclasses import replace

from psycopg.sql import SQL, Identifier

from analytics_sql.connections import connection
from orchestration.catalogue import Catalogue
from project.references import COUNTS
from project.resources import Health, Refused, Resource

_COUNTED = "select handled, repeated, set_aside, round(latency_ms) as latency_ms, counted_at::text from {} where consumer = %s"


def read_receiving(catalogue: Catalogue, consumer: Resource) -> Health:
    """A program of somebody's own is not counted: its check has the lag alone."""
    health, database = catalogue.backend(consumer).health(consumer), catalogue.environment.analytics
    counts = Identifier(catalogue.project.schema_, COUNTS)
    try:
        with connection(database, database.admin, f"table {COUNTS}", timeout=5) as connected:
            row = connected.execute(SQL(_COUNTED).format(counts), [consumer.name]).fetchone()
    except Refused as error:
        return replace(health, facts={**health.facts, "counts": str(error)})
    return replace(health, facts={**health.facts, **(row or {})})
