"""What a prune of one project may take is not another project's, however their names resemble each other."""

from types import SimpleNamespace

import pytest

from cdc.connect import Connect
from cdc.kafka import KafkaBackend
from project.environment import Environment
from project.models import Project

TAKEN = ("shop-ecom.public.gone", "__debezium-heartbeat.shop-ecom", "shop.events.loans", "shop-old.public.orders")
OTHERS = ("shop-ecom.events.orders", "shop-old.events.loans", "shop-ecom2.public.orders", "shops.events.loans")


@pytest.fixture
def shop(bookstore: Project, environment: Environment, monkeypatch: pytest.MonkeyPatch) -> KafkaBackend:
    """Its source has the connector shop-ecom, and a connector that no spec names is still live."""
    source = bookstore.sources["ecom"].model_copy(update={"connector": "shop-ecom"})
    tables = source.tables | {"loans": source.tables["orders"].model_copy(update={"schema_": "events"})}
    spec = {"name": "shop", "sources": {"ecom": source.model_copy(update={"tables": tables})}}
    made = KafkaBackend(bookstore.model_copy(update=spec), environment)
    monkeypatch.setattr(Connect, "owned", lambda *_: ["shop-old"])
    return made


def owned(backend: KafkaBackend, *topics: str) -> set[str]:
    backend._kafka.client = SimpleNamespace(list_topics=lambda **_: SimpleNamespace(topics=dict.fromkeys(topics)))  # type: ignore[assignment]
    return {name.removeprefix("topic/") for name in backend.owned()}


def test_events_of_a_project_called_like_the_connector_are_not_taken(shop: KafkaBackend):
    assert owned(shop, *TAKEN, *OTHERS) == set(TAKEN)


def test_a_table_in_a_schema_called_events_is_the_connectors_where_the_spec_has_it(shop: KafkaBackend):
    assert owned(shop, "shop-ecom.events.loans", "shop-ecom.events.orders") == {"shop-ecom.events.loans"}
