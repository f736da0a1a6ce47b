"""The views of docs/filters.md, as they stand there: what looks at many events, or at a table beside them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from e2e.command import consuming
from e2e.conftest import ROOT
from e2e.loans import write
from e2e.shops import Shop, open_shop
from e2e.waiting import until
from infra.platform import Platform
from project.environment import Environment

_VIEW = re.compile(r"`views/(\w+\.sql)`:\n\n```sql\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ARRIVES = 60  # seconds
_CUSTOMERS = "tables: {customers: {key: [id], columns: {id: text, name: text, tier: text}}}\n"
_FILTER = (
    "  - {id: FILTER, name: All, consumerId: desk, outputTopic: FILTER, enabled: true,"
    " conditions: [{field: eventName, operator: matches, value: ^Loan}]}\n"
)


@pytest.fixture
def shop(tmp_path: Path, platform: object, environment: Environment) -> Iterator[Shop]:
    """An outbox and a table of customers; two filters give the same consumer every event twice."""
    views = dict(_VIEW.findall((ROOT / "docs" / "filters.md").read_text()))
    assert len(views) == 3
    with open_shop(tmp_path, environment) as opened:
        opened.declare_filters([])
        opened.source.execute("create table customers (id text primary key, name text, tier text)")
        opened.source.execute("insert into customers values ('c1', 'Ada', 'gold')")
        filters = "".join(_FILTER.replace("FILTER", one) for one in ("all", "more"))
        files = {
            "sources/customers.yaml": f"database: {opened.source.info.dbname}\n{_CUSTOMERS}",
            "streams/shop.yaml": f"kind: filters\nsource: shop\nmandatory: [eventName, uuid]\nfilters:\n{filters}",
            "streams/customers.yaml": "kind: mirror\nsource: customers\ntables: {customers: customers}\n",
            "consumers/desk.yaml": "description: Who gets everything.\n",
            **{f"views/{name}": text for name, text in views.items()},
        }
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        opened.apply()
        yield opened


def _event(name: str, time: str, entity: str, **loan: Any) -> dict[str, Any]:
    created = int(datetime.fromisoformat(f"2026-03-01T{time}").replace(tzinfo=UTC).timestamp() * 1000)
    header = {"uuid": str(uuid4()), "eventName": name, "createdDate": created}
    told = {"entityType": "Loan", "entityId": entity, "updatedAttributes": {"loan": loan}}
    return {"eventHeader": header, "eventBody": {"entities": [told]}}


def test_views_look_at_many_events_and_at_a_table_beside_them(shop: Shop, platform: Platform):
    write(
        shop,
        _event("LoanCreated", "10:00:00", "loan-1", loanAmount=100, customerId="c1"),
        _event("LoanCreated", "10:00:59.999", "loan-2", loanAmount="200.50", customerId="c2"),
        _event("LoanPaymentSubmitted", "10:00:30", "loan-1", loanAmount=7),
        _event("LoanCreated", "10:02:00", "loan-3", loanAmount=600, customerId="c1"),
        _event("LoanCreated", "10:03:00", "loan-4", loanAmount="much"),
    )
    with consuming(platform, shop.folder, "desk"):
        until(lambda: shop.rows("select count(*) from received_events") == [(10,)], _ARRIVES, "each event has come by both filters")
    until(lambda: shop.rows("select count(*) from customers") == [(1,)], _ARRIVES, "the customers are there")
    minutes = shop.rows("select to_char(minute, 'HH24:MI'), event_name, events from vw_events_per_minute order by 1, 2")
    assert minutes == [
        ("10:00", "LoanCreated", 2), ("10:00", "LoanPaymentSubmitted", 1), ("10:02", "LoanCreated", 1), ("10:03", "LoanCreated", 1),
    ]  # fmt: skip
    windows = shop.rows("select to_char(ends_at, 'HH24:MI'), loans, round(average_amount, 2) from vw_loan_average order by 1")
    two, three, one = (Decimal(text) for text in ("150.25", "300.17", "600.00"))
    assert windows == [
        ("10:01", 2, two), ("10:02", 2, two), ("10:03", 3, three), ("10:04", 4, three), ("10:05", 4, three), ("10:06", 2, one),
        ("10:07", 2, one), ("10:08", 1, None),
    ]  # fmt: skip
    whose = "select loan, customer, tier from vw_loans_by_customer order by 1"
    assert shop.rows(whose) == [("loan-1", "Ada", "gold"), ("loan-2", None, None), ("loan-3", "Ada", "gold"), ("loan-4", None, None)]
    shop.source.execute("insert into customers values ('c2', 'Bob', 'blue')")
    until(lambda: shop.rows(whose)[1] == ("loan-2", "Bob", "blue"), _ARRIVES, "the customer is known from now on")
