"""What is lost is seen: of the records of a customer's orders none may be missing, and some may come twice; none is passed unread."""

import json
import subprocess
from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from chaos.judging import idle, missing, unaccounted, unequal
from chaos.world import World
from e2e.trading import Trade
from infra import databases
from infra.tests.throwaway import throwaway_cluster

ORDER = UUID(int=1)


class Topic:
    """What a world's records are read from."""

    def __init__(self, records: Iterable[bytes]) -> None:
        self._records = records

    def records(self, _: Any) -> Iterable[bytes]:
        return self._records


def found(trade: Trade, *states: str | None) -> list[str]:
    def row(state: str | None) -> Any:
        return state and {"id": str(ORDER), "user_id": str(trade.customer), "status": state, "total": "1.00"}

    records = [json.dumps({"before": row("SHIPPED"), "after": row(state)}).encode() for state in states]
    return missing(cast(World, Topic([b'{"after": null}', *records])), [], trade)


@pytest.fixture
def trade() -> Trade:
    """An order that was placed, shipped and cancelled."""
    made = Trade(lambda: pytest.fail("nothing is bought here"), Random(1))
    made.committed = [(ORDER, ("PENDING", Decimal("1.00"))), (ORDER, ("SHIPPED", Decimal("1.00"))), (ORDER, None)]
    return made


@pytest.mark.parametrize(
    "states", [("PENDING", "SHIPPED", None), ("PENDING", "SHIPPED", "PENDING", "SHIPPED", None), ("PENDING", "PENDING", "SHIPPED", None)]
)
def test_all_changes_in_their_order_are_enough(trade: Trade, states: tuple[str | None, ...]):
    assert found(trade, *states) == []


@pytest.mark.parametrize("states", [(), ("PENDING", None), ("PENDING", "SHIPPED"), ("SHIPPED", "PENDING", None)])
def test_a_change_that_is_missing_or_comes_too_early_is_told(trade: Trade, states: tuple[str | None, ...]):
    [problem] = found(trade, *states)
    assert problem.startswith(f"I2: the changes of 1 orders are not all in Kafka, first {ORDER}")


def test_orders_that_differ_are_told_by_plain_sql(trade: Trade, tmp_path: Path):
    with throwaway_cluster(tmp_path / "platform", "source") as platform, databases.connect(platform, "source") as server:
        opener = partial(databases.connect, platform, "source")
        world = cast(World, SimpleNamespace(source=opener, analytics=opener))
        server.execute("create table orders (id uuid, user_id uuid, total numeric, status text)")
        server.execute("insert into orders values (%s, %s, 1.00, 'SHIPPED')", [ORDER, trade.customer])
        server.execute("create table fact_orders as table orders")
        assert unequal(world, trade) == []
        for change in ("update fact_orders set total = 1.01", "delete from fact_orders"):
            server.execute(change)
            [problem] = unequal(world, trade)
            assert problem.startswith("I1: by plain SQL 1 of 1 orders differ, such as ")


@pytest.mark.parametrize(("status", "told"), [(0, []), (1, ["I5: 1 lost"])])
def test_a_record_that_was_passed_and_kept_by_nobody_is_told(status: int, told: list[str]):
    ended = subprocess.CompletedProcess(["headrace"], status, stdout="1 lost", stderr="")
    assert unaccounted(cast(World, SimpleNamespace(headrace=lambda *_, **__: ended, folders=[Path("bookstore")]))) == told


def test_that_nothing_happened_keeps_no_promise(trade: Trade):
    world = cast(World, SimpleNamespace(dealership=Path("cars"), outbox=SimpleNamespace(told=["an event"])))
    assert idle(world, trade) == []
    trade.committed, world.outbox.told = [], []
    assert idle(world, trade) == ["nothing was bought meanwhile", "nothing was told of meanwhile"]
