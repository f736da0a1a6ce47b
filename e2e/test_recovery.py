"""Each component is killed while the shop trades. It comes back by itself, and every row is as in the source."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

import psycopg
import pytest

from e2e.conftest import connect
from e2e.trading import trading
from e2e.waiting import until
from infra import lifecycle
from infra.platform import Platform
from project.environment import Environment
from project.models import Project

_RECOVERED = 180  # seconds from the kill to equality
_CHANGES_BEFORE, _CHANGES_AFTER = 300, 600  # transactions around the kill
COMPONENTS = ("flink-taskmanager", "flink-jobmanager", "connect", "kafka", "postgres-source", "postgres-analytics")


@pytest.fixture
def open_ecom(environment: Environment, bookstore: Project) -> Callable[[], psycopg.Connection]:
    place = environment.source("ecom")
    return lambda: connect(place.host, place.port, bookstore.sources["ecom"].database, place.admin)


@pytest.fixture
def open_analytics(environment: Environment) -> Callable[[], psycopg.Connection]:
    place = environment.analytics
    assert place.database
    return lambda: connect(place.host, place.port, str(place.database), place.admin)


def orders(opener: Callable[[], psycopg.Connection], table: str, customer: UUID) -> set[tuple[object, ...]] | None:
    """The customer's orders; None while the database is away."""
    with suppress(psycopg.OperationalError), opener() as database:
        return set(database.execute(f"select id, total, status from {table} where user_id = %s".encode(), [customer]).fetchall())
    return None


def pid(platform: Platform, name: str) -> int | None:
    return next(component.pid for component in lifecycle.status(platform) if component.name == name)


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_killed_component_comes_back_and_no_row_is_lost_or_doubled(
    component: str, platform: Platform, open_ecom: Callable[[], psycopg.Connection], open_analytics: Callable[[], psycopg.Connection]
):
    with trading(open_ecom) as trade:
        until(lambda: trade.done > _CHANGES_BEFORE, 60, "the shop trades")
        killed = pid(platform, component)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        until(lambda: pid(platform, component) not in (None, killed), 60, f"{component} is started again")
        reached = trade.done + _CHANGES_AFTER
        until(lambda: trade.done > reached, 120, "the shop goes on trading")
    expected = until(lambda: orders(open_ecom, "orders", trade.customer), 60, "the source answers") or set()
    until(lambda: orders(open_analytics, "fact_orders", trade.customer) == expected, _RECOVERED, f"{len(expected)} orders are equal")
