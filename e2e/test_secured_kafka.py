"""A Kafka as companies run it: it asks who is there, and speaks TLS alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from e2e.command import consuming
from e2e.conftest import headrace
from e2e.loans import LOANS, loan, write
from e2e.secured_kafka import secured
from e2e.shops import open_shop
from e2e.waiting import until
from infra.platform import Platform
from project.environment import read_environment

_ARRIVES = 90  # seconds


@pytest.fixture(scope="module")
def file(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of the environment with that Kafka."""
    with secured(platform, tmp_path_factory.mktemp("secured")) as found:
        yield found


def test_rows_pass_a_kafka_that_asks_for_a_login(file: Path, tmp_path: Path):
    with open_shop(tmp_path, read_environment(file)) as shop:
        shop.source.execute("create table orders (id bigint primary key, total numeric(10,2))")
        shop.source.execute("insert into orders values (1, 9.99)")
        shop.declare({"orders": {"key": ["id"], "columns": {"id": "bigint", "total": "numeric(10,2)"}}})
        shop.apply()
        shop.source.execute("insert into orders values (2, 1.01)")
        until(lambda: shop.rows("select sum(total) from orders") == [(11,)], _ARRIVES, "both orders are there")
        shop.source.execute("delete from orders where id = 1")
        until(lambda: shop.rows("select id from orders") == [(2,)], _ARRIVES, "the deletion as well")
        secret = (file.parent / "secrets" / "kafka").read_text()
        assert not [resource.id for resource in shop.catalogue().resources if secret in resource.text]


def test_events_reach_their_consumer_over_it(file: Path, tmp_path: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch):
    with open_shop(tmp_path, read_environment(file)) as shop:
        shop.declare_filters([LOANS])
        (tmp_path / "consumers").mkdir()
        (tmp_path / "consumers" / "loans.yaml").write_text("description: The loan desk.\n")
        shop.apply()
        write(shop, loan(1, 5), loan(2, 200000))
        monkeypatch.setenv("HEADRACE_ENVIRONMENT", str(file))
        with consuming(platform, shop.folder, "loans"):
            until(lambda: shop.rows("select entity_id from received_events") == [("loan-2",)], _ARRIVES, "the one that it asked for")
            until(lambda: shop.health("consumer/loans").facts.get("events_behind") == 0, _ARRIVES, "it says that it has it")


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"login": {"user": "headrace", "password": {"env": "WRONG_PASSWORD"}}}, "Authentication failed"),
        ({"authority": None}, "certificate verify failed"),
    ],
)
def test_who_is_not_let_in_is_told_so(
    change: dict[str, object], cause: str, file: Path, tmp_path: Path, platform: Platform, monkeypatch: pytest.MonkeyPatch
):
    document = yaml.safe_load(file.read_text())
    document["kafka"] |= change
    (tmp_path / "environment.yaml").write_text(yaml.safe_dump(document))
    monkeypatch.setenv("WRONG_PASSWORD", "guessed")
    refused = headrace("plan", "-e", str(tmp_path / "environment.yaml"), check=False)
    assert refused.returncode == 1
    assert "lets nobody in" in refused.stderr and cause in refused.stderr and "guessed" not in refused.stderr
    assert "correct kafka in the environment file" in refused.stderr
