"""What is lost is seen: of the records of a customer's orders none may be missing, and some may come twice; none is passed unread."""

import json
import subprocess
from collections.abc import Iterable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from chaos.judging import missing, unaccounted
from chaos.world import World
from e2e.trading import Trade

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
    made = Trade(lambda: pytest.fail("nothing is bought here"))
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


@pytest.mark.parametrize(("status", "told"), [(0, []), (1, ["I5: 1 lost"])])
def test_a_record_that_was_passed_and_kept_by_nobody_is_told(status: int, told: list[str]):
    ended = subprocess.CompletedProcess(["headrace"], status, stdout="1 lost", stderr="")
    assert unaccounted(cast(World, SimpleNamespace(headrace=lambda *_, **__: ended))) == told
