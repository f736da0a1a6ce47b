"""A source as others have it: its admin owns the tables and the database, and may do no more, on a server with databases of others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from psycopg.sql import SQL, Identifier, Literal

from e2e.conftest import connect
from e2e.shops import Shop, open_shop
from e2e.waiting import until
from project.environment import Environment, Login, Secret
from project.resources import State

_ARRIVES = 60  # seconds
_ORDERS = {"orders": {"key": ["id"], "columns": {"id": "integer", "total": "integer"}}}


@pytest.fixture
def shop(tmp_path: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    place, role = environment.source("shop"), f"owner_{uuid4().hex[:8]}"
    monkeypatch.setenv("ORDINARY_PASSWORD", role)
    with connect(place.host, place.port, "postgres", place.admin) as server, open_shop(tmp_path, environment) as opened:
        opened.source.execute("create table orders (id integer primary key, total integer)")
        server.execute(SQL("create role {} login password {}").format(Identifier(role), Literal(role)))
        try:
            for what in (f"database {opened.source.info.dbname}", "table orders"):
                opened.source.execute(f"alter {what} owner to {role}".encode())
            ordinary = place.model_copy(update={"admin": Login(user=role, password=Secret(env="ORDINARY_PASSWORD"))})
            opened.environment = environment.model_copy(update={"sources": {"default": ordinary}})
            opened.declare(_ORDERS)
            yield opened
        finally:
            opened.environment = environment
            opened.source.execute(f"reassign owned by {role} to {place.admin.user}; drop owned by {role}; drop role {role}".encode())


def slots(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.source.execute("select slot_name from pg_replication_slots where database = current_database()").fetchall()


def test_a_source_is_captured_read_again_from_a_new_slot_and_let_go(shop: Shop):
    shop.apply()
    shop.source.execute("insert into orders values (1, 10)")
    until(lambda: shop.rows("select total from orders") == [(10,)], _ARRIVES, "the order arrives")
    assert shop.health("capture/shop").state is State.PASSED
    assert "capture/shop" in shop.owned(), "databases of others are passed over"

    catalogue = shop.catalogue()
    [connector] = catalogue.of_kind("connector")
    catalogue.backend(connector).delete(connector.id)
    assert slots(shop) == [], "what keeps the source's log goes with its reader"
    shop.source.execute("update orders set total = 11")
    shop.reread()
    until(lambda: shop.rows("select total from orders") == [(11,)], _ARRIVES, "all is read again")
    shop.prune()
    assert (shop.owned(), slots(shop)) == (set(), [])
