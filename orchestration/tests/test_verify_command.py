"""`headrace verify` where something cannot be compared; what it finds on a live platform is shown in e2e/test_verify.py."""

import json
from datetime import datetime
from typing import Any

import pytest

from orchestration.certificates import Certificate
from orchestration.fencing import Behind
from orchestration.tests.conftest import ROOT
from orchestration.tests.test_project_commands import headrace
from orchestration.view_verifying import ViewCertificate
from project.references import ordered_views

NOW = datetime(2026, 3, 1, 12, 0)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that were asked for: stream ecom stands still from the second one on."""
    asked: list[str] = []

    def verify(_: object, table: str) -> Certificate:
        asked.append(table)
        if table == "fact_order_items":
            raise Behind("stream ecom has not passed position 0/5")
        return Certificate(table, "a source", 1, (), (), True, "0/0", NOW, 0.0, 0.0, 0.0)

    def verify_views(catalogue: Any, without: dict[str, str]) -> list[ViewCertificate]:
        return [ViewCertificate(view.name, 1, (), (), NOW, 0.0) for view in ordered_views(catalogue.project) if view.name not in without]

    monkeypatch.setenv("HEADRACE_ENVIRONMENT", str(ROOT / "orchestration/tests/environment.yaml"))
    monkeypatch.setattr("orchestration.verifying.verify", verify)
    monkeypatch.setattr("orchestration.verifying.numbers", lambda _: [])
    monkeypatch.setattr("orchestration.view_verifying.verify_views", verify_views)
    monkeypatch.setattr("orchestration.ledger.clear", lambda *_: None)
    monkeypatch.setattr("orchestration.verify_command.use_dagster_home", lambda _: None)
    return asked


def test_a_stream_that_stands_still_keeps_nothing_else_from_being_compared(
    compared: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert headrace(monkeypatch, "verify", "--json", "-p", str(ROOT / "examples/bookstore")) == 1
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert compared == ["fact_orders", "fact_order_items", "fact_inventory"]  # dim_books would wait for the same stream
    assert [one["table"] for one in found["tables"]] == ["fact_orders", "fact_inventory"]
    assert found["refused"]["dim_books"] == found["refused"]["fact_order_items"] == "stream ecom has not passed position 0/5"
    assert found["refused"]["sold_items"] == "it reads dim_books, see there"
    compared_views = {one["view"] for one in found["views"]}
    assert "vw_sales_over_time" in compared_views and not compared_views & found["refused"].keys()
    assert "not compared dim_books: stream ecom has not passed position 0/5" in told.err
