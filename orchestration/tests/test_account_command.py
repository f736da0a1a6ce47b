"""`headrace dead-letters account`: what its reader sees of streams and filters, and how it ends."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

import orchestration.accounts
from orchestration.accounts import Account
from orchestration.filter_accounts import FilterAccount
from orchestration.tests.test_project_commands import headrace

ENVIRONMENT = str(Path(__file__).with_name("environment.yaml"))
PLACE = "cars.raw-business-events:0:7: filter large, version 2 takes it, yet it is not in cars.events.large"


def run(monkeypatch: pytest.MonkeyPatch, found: list[Account | FilterAccount], *options: str) -> tuple[int, list[int | None]]:
    """How the command ends over these accounts, and since when it asked for them."""
    asked = list[int | None]()
    monkeypatch.setattr(orchestration.accounts, "accounts", lambda catalogue, since: asked.append(since) or found)
    return headrace(monkeypatch, "dead-letters", "account", "-e", ENVIRONMENT, *options), asked


def test_what_comes_out_ends_with_0(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    found = [Account("shop.public.orders", 1203, 1200, 3), FilterAccount("routing", "large", 2, matched=20_000, not_judged=5, set_aside=1)]
    assert run(monkeypatch, found) == (0, [None])
    told = capsys.readouterr().out
    assert "1,203" in told and "large, version 2" in told and "20,006" in told
    assert "5 events stand before the first that large, version 2, has judged, and are not judged here; --since" in told


def test_what_is_lost_or_surplus_is_named_and_ends_with_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    assert run(monkeypatch, [FilterAccount("routing", "large", 2, lost=1, places=[PLACE])])[0] == 1
    assert PLACE in capsys.readouterr().out
    assert run(monkeypatch, [FilterAccount("routing", "", 0, surplus=1, places=["a:0:1: no filter wrote it"])])[0] == 1


def test_machines_get_every_count_and_the_time_is_utc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    found = FilterAccount("routing", "large", 2, matched=3, rejected=4)
    code, asked = run(monkeypatch, [found], "--json", "--since", "2026-05-01T06:00:00")
    assert code == 0 and asked == [datetime(2026, 5, 1, 6, tzinfo=UTC).timestamp() * 1000]
    [told] = json.loads(capsys.readouterr().out)
    assert (told["filter"], told["events"], told["matched"], told["rejected"], told["lost"]) == ("large", 7, 3, 4, 0)
