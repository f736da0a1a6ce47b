"""Events in Avro: what consumers of it get is what the application wrote, whatever happens to the registry of the schemas."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
import yaml

from consumers.registry import SchemaRegistry
from e2e.conftest import PLATFORM, headrace
from e2e.loans import LOANS, loan, produce
from e2e.shops import Shop, open_shop
from e2e.test_platform import listening
from e2e.topics import headers, records
from e2e.waiting import until
from infra import lifecycle
from infra.platform import Platform
from orchestration.reconcile import Action, plan
from project.environment import Environment, read_environment
from project.resources import State

_ARRIVES = 120  # seconds
_LOAN = {
    "loanAmount": {"type": "number", "required": True}, "number": {"type": "number", "required": True}, "agreedAt": "timestamp",
    "parts": {"type": "list", "items": {"type": "object", "fields": {"name": "string", "share": "number"}}},
}  # fmt: skip


def declare(shop: Shop, loan_has: dict[str, Any], version: int = 1, file: str = "LoanCreated") -> None:
    """What a loan holds; the consumer `desk` reads loans in Avro."""
    entities = {"Loan": {"loan": {"type": "object", "required": True, "fields": loan_has}}}
    said = {"source": "shop", "version": version, "compatibility": "full", "entities": entities}
    (shop.folder / "events" / f"{file}.yaml").write_text(yaml.safe_dump(said))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, platform: Platform, environment: Environment) -> Iterator[Shop]:
    """Its loans are written as Avro, for which the platform starts a registry, and by an apply also who writes and who receives."""
    tmp_path = tmp_path_factory.mktemp("shop")
    with open_shop(tmp_path, environment) as opened:
        opened.declare_filters([LOANS], avro=["loans"])
        for folder in ("events", "consumers"):
            (tmp_path / folder).mkdir()
        (tmp_path / "consumers" / "desk.yaml").write_text("topics: [loans-avro]\n")
        declare(opened, _LOAN)
        try:
            headrace("apply", "-p", str(tmp_path))
            opened.environment = read_environment(platform.environment_file)
            yield opened
        finally:
            headrace("erase", "-p", str(tmp_path), "--yes")
            opened.environment = environment
            shutil.rmtree(tmp_path / "consumers")
            opened.declare_filters([LOANS])


def agreed(number: int, amount: Any) -> dict[str, Any]:
    """A loan as its schema says, if the amount is a number."""
    event = loan(number, amount)
    return {**event, "eventHeader": {**event["eventHeader"], "createdDate": 1767225600000, "savedDate": 1767225600500}}


def number_of(event: dict[str, Any]) -> int:
    return event["eventBody"]["entities"][0]["updatedAttributes"]["loan"]["number"]


def running() -> dict[str, int]:
    return {one.name: one.pid for one in lifecycle.status(PLATFORM) if one.pid is not None}


def received(shop: Shop) -> list[dict[str, Any]]:
    return [event for (event,) in shop.rows("select event from received_events order by received_at")]


def rates(shop: Shop, number: int) -> list[float | None]:
    loans = (event["eventBody"]["entities"][0]["updatedAttributes"]["loan"] for event in received(shop))
    return [one.get("rate") for one in loans if one["number"] == number]


def test_the_registry_is_reached_from_this_machine_alone(shop: Shop, platform: Platform):
    assert listening(platform) >= {platform.port("registry"), platform.port("registry management")}


def test_who_reads_avro_gets_what_was_written_and_the_rest_is_set_aside(shop: Shop):
    rich = agreed(1, 200000.25)
    rich["eventBody"]["entities"][0]["updatedAttributes"]["loan"] |= {
        "agreedAt": "2026-01-31T09:30:00Z", "parts": [{"name": "Ångström", "share": 0.1}, {"share": 12345678901.123456}], "colour": "red",
    }  # fmt: skip
    produce(shop, [json.dumps(event).encode() for event in (agreed(0, 200000), rich, agreed(2, "200000"), agreed(3, 300000))])
    until(lambda: len(received(shop)) == 3, _ARRIVES, "three loans have been received")
    first, second, third = sorted(received(shop), key=number_of)
    for event in (first, second, third):
        stamp = event.pop("filterMetadata")
        assert (stamp["filterId"], stamp["ruleVersion"], stamp["consumerId"]) == ("high-value-loans", 3, "loans")
    assert (first, third) == (agreed(0, 200000), agreed(3, 300000))
    expected = json.loads(json.dumps(rich))
    attributes = expected["eventBody"]["entities"][0]["updatedAttributes"]["loan"]
    del attributes["colour"]  # nobody declared it
    attributes["agreedAt"] = 1769851800000
    assert second == expected

    kafka = shop.environment.kafka
    plain, avro = (list(records(kafka, f"{shop.name}.events.{topic}")) for topic in ("loans", "loans-avro"))
    origins = {headers(record)["headrace.origin"]: (record.key(), record.partition()) for record in plain}
    assert len(avro) == 3 and all(record.value()[:1] == b"\0" for record in avro)  # type: ignore[index] - there are values
    assert all(origins[headers(record)["headrace.origin"]] == (record.key(), record.partition()) for record in avro)

    [letter] = json.loads(headrace("dead-letters", "list", "--json", "-p", str(shop.folder), check=False).stdout)
    assert letter["stream"] == "consumers.shop-avro"
    assert letter["reason"] == (
        'not as its schema says: eventBody.entities[0].updatedAttributes.loan.loanAmount is "200000"; expected a number'
    )
    again = headrace("dead-letters", "replay", "all", "-p", str(shop.folder), check=False)
    assert again.returncode == 1 and "still waits: not as its schema says" in again.stdout


def test_while_the_registry_is_down_events_wait_and_its_schemas_survive(shop: Shop):
    numbers = range(100, 120)
    assert "registry" in running(), "a project asks for it"
    os.kill(running()["registry"], signal.SIGSTOP)
    os.kill(running()[f"consumer-{shop.name}-shop-avro"], signal.SIGKILL)  # the one that comes back knows no schema yet
    try:
        produce(shop, [json.dumps(agreed(number, 200000)).encode() for number in numbers])
        encoder = "consumer/shop-avro"
        until(lambda: shop.health(encoder).facts.get("members") == 1, _ARRIVES, "it runs")
        until(lambda: shop.health(encoder).facts.get("events_behind") == 20, _ARRIVES, "it waits")
        health = shop.catalogue().backends["registry"].health(shop.catalogue().of_kind("subject")[0])
        assert health.state is State.FAILED and "does not answer" in health.text
        os.kill(running()["registry"], signal.SIGKILL)
        until(lambda: set(numbers) <= set(map(number_of, received(shop))), _ARRIVES, "all have been received")
        until(lambda: shop.health(encoder).state is State.PASSED, _ARRIVES, "it keeps up")
    finally:
        if (pid := running().get("registry")) is not None:
            os.kill(pid, signal.SIGCONT)


def test_a_version_that_the_registry_does_not_take_is_refused_in_the_plan(shop: Shop):
    [subject] = shop.catalogue().of_kind("subject")
    registry = SchemaRegistry(shop.environment.schema_registry)
    assert registry.compatibility(subject.name) == "FULL" and registry.latest(subject.name) == subject.document["schema"]
    declare(shop, _LOAN | {"rate": {"type": "number", "required": True}})
    said = headrace("plan", "-p", str(shop.folder), check=False)
    assert said.returncode == 1 and "does not go with this one, by full compatibility" in said.stdout + said.stderr
    assert "events/LoanCreated.yaml:" in said.stdout + said.stderr
    receiving = {name: pid for name, pid in running().items() if name.startswith(f"consumer-{shop.name}")}
    for command in ("apply", "up"):
        (shop.folder / "consumers" / f"{command}.yaml").write_text("topics: [loans]\n")  # a program more: all of them are looked at
        assert headrace(command, "-p", str(shop.folder), check=False).returncode == 1
        assert receiving.items() <= running().items(), "what is refused stops nobody"
        (shop.folder / "consumers" / f"{command}.yaml").unlink()
    declare(shop, _LOAN, file="LoanCreated@1")
    declare(shop, _LOAN | {"rate": "number"}, version=2)
    headrace("apply", "-p", str(shop.folder))
    assert "rate" in json.dumps(registry.latest(subject.name))
    event = agreed(200, 200000)
    event["eventBody"]["entities"][0]["updatedAttributes"]["loan"]["rate"] = 0.05
    produce(shop, [json.dumps(event).encode()])
    until(lambda: rates(shop, 200) == [0.05], _ARRIVES, "who writes Avro knows the new version")
    (shop.folder / "events" / "LoanCreated@1.yaml").unlink()
    declare(shop, _LOAN)
    headrace("apply", "-p", str(shop.folder))
    [again] = shop.catalogue().of_kind("subject")
    assert plan(shop.catalogue().backends["registry"], again).action is Action.NONE, "what was taken back is there already"


def test_consumers_that_run_turn_to_other_topics_and_miss_nothing(shop: Shop):
    """The filter writes elsewhere, so who writes its events as Avro reads elsewhere, and so does who reads those."""
    over, sent = Event(), list[int]()

    def trade() -> None:
        while not over.wait(0.02):
            sent.append(1000 + len(sent))
            produce(shop, [json.dumps(agreed(sent[-1], 200000)).encode()])

    trading = Thread(target=trade)
    trading.start()
    try:
        until(lambda: 1000 in map(number_of, received(shop)), _ARRIVES, "they receive")
        shop.declare_filters([LOANS | {"outputTopic": "large-loans", "version": 4}], avro=["large-loans"])
        (shop.folder / "consumers" / "desk.yaml").write_text("topics: [large-loans-avro]\n")
        headrace("apply", "-p", str(shop.folder))
    finally:
        over.set()
        trading.join()
    until(lambda: set(sent) <= set(map(number_of, received(shop))), _ARRIVES, "all have been received")
    until(lambda: shop.health("consumer/desk").state is State.PASSED, _ARRIVES, "nothing is left where it was before")
    versions = {event["filterMetadata"]["ruleVersion"] for event in received(shop) if number_of(event) in sent}
    assert versions == {3, 4}
    assert json.loads(headrace("plan", "--json", "-p", str(shop.folder), check=False).stdout)["changes"] == []


def test_a_consumer_that_left_the_spec_ends_with_the_apply_and_its_group_goes(shop: Shop):
    assert f"consumer-{shop.name}-desk" in running()
    (shop.folder / "consumers" / "desk.yaml").unlink()
    headrace("apply", "-p", str(shop.folder))
    assert f"consumer-{shop.name}-desk" not in running() and f"consumer-{shop.name}-shop-avro" in running()
    assert "consumer/desk" in headrace("prune", "--yes", "-p", str(shop.folder)).stdout
    assert json.loads(headrace("plan", "--json", "-p", str(shop.folder)).stdout)["prunable"] == []
