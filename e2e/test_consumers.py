"""Consumers receive every event at least once and in the order of its key, whatever happens to them."""

import json
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest

from consumers.events import Poison, Received, Retriable
from consumers.loop import Ended, Loop
from e2e.command import consuming
from e2e.conftest import headrace
from e2e.loans import LOANS, loan, produce, wait_until_read, write
from e2e.shops import Shop, open_shop
from e2e.topics import records
from e2e.waiting import until
from infra.platform import Platform
from orchestration.consumer_counts import read_receiving
from orchestration.dead_letters import read_waiting
from project.environment import Environment
from project.resources import Refused, State

_ARRIVES = 60  # seconds


@pytest.fixture
def shop(tmp_path: Path, platform: object, environment: Environment) -> Iterator[Shop]:
    """Loans go to consumer `loans`; two members can share its topics."""
    with open_shop(tmp_path, environment) as opened:
        opened.declare_filters([LOANS])
        (tmp_path / "consumers").mkdir()
        (tmp_path / "consumers" / "loans.yaml").write_text("description: The loan desk.\n")
        opened.apply()
        yield opened


def received(shop: Shop) -> list[tuple[str, int]]:
    """Entity and number in the order of their arrival."""
    query = "select entity_id, event from received_events order by received_at"
    return [(entity, event["eventBody"]["entities"][0]["updatedAttributes"]["loan"]["number"]) for entity, event in shop.rows(query)]


def test_no_event_is_missed_when_members_come_and_are_killed(shop: Shop, platform: Platform):
    over, sent = Event(), list[int]()

    def trade() -> None:
        while not over.wait(0.002):
            write(shop, loan(len(sent), 200000))
            sent.append(len(sent))

    trading = Thread(target=trade)
    trading.start()
    try:
        with consuming(platform, shop.folder, "loans") as first:
            until(lambda: len(received(shop)) > 50, _ARRIVES, "the first member receives")
            with consuming(platform, shop.folder, "loans") as second:
                until(lambda: _members(shop) == 2, _ARRIVES, "the second member has joined")
                seen = len(received(shop))
                until(lambda: len(received(shop)) > seen + 50, _ARRIVES, "both receive")
                parts = {record.partition() for record in records(shop.environment.kafka, f"{shop.name}.events.loans")}
                assert len(parts) > 1, "there is something to receive for both"
                first.kill()
                first.wait(10)
                until(lambda: _members(shop) == 1, _ARRIVES, "Kafka takes the killed member for dead")
                over.set()
                trading.join()
                until(lambda: len(received(shop)) == len(sent), _ARRIVES * 3, "every event has been received")
                second.terminate()
                assert second.wait(30) == 0
    finally:
        over.set()
        trading.join()
    found = received(shop)
    assert sorted(number for _, number in found) == sent
    for entity in {entity for entity, _ in found}:
        numbers = [number for one, number in found if one == entity]
        assert numbers == sorted(numbers), f"events of {entity} stay in their order"
    [(times,)] = shop.rows("select sum(times) from received_events")
    facts = read_receiving(shop.catalogue(), shop.catalogue().by_id["consumer/loans"]).facts
    assert (facts["members"], facts["events_behind"]) == (0, 0), "who leaves commits first"
    assert (facts["handled"], facts["repeated"], facts["set_aside"]) == (len(sent), times - len(sent), 0)


def _members(shop: Shop) -> object:
    return shop.health("consumer/loans").facts.get("members")


def _behind(shop: Shop) -> object:
    """How many events its members have not committed; nothing where Kafka does not answer."""
    return shop.health("consumer/loans").facts.get("events_behind")


def test_what_the_table_does_not_take_is_set_aside_and_what_passes_is_waited_for(shop: Shop, platform: Platform):
    poisonous = json.dumps(loan(1, 200000)).replace("LoanCreated", 'LoanCreated", "note": "\\u0000')
    produce(shop, [json.dumps(loan(0, 200000)).encode(), poisonous.encode(), json.dumps(loan(2, 200000)).encode()])
    shop.analytics.execute("alter table received_events rename to elsewhere")
    with consuming(platform, shop.folder, "loans"):
        until(lambda: _members(shop) == 1, _ARRIVES, "it runs")
        until(lambda: _behind(shop) == 3, _ARRIVES, "it waits for its table")
        shop.analytics.execute("alter table elsewhere rename to received_events")
        until(lambda: received(shop) == [("loan-0", 0), ("loan-2", 2)], _ARRIVES, "the good ones arrive")
        until(lambda: shop.health("consumer/loans").state is State.PASSED, _ARRIVES, "it keeps up")
    catalogue = shop.catalogue()
    waiting = read_waiting(catalogue, catalogue.by_id["consumer/loans"])
    assert waiting.state is State.FAILED and "does not take it" in waiting.text
    [letter] = json.loads(headrace("dead-letters", "list", "--json", "-p", str(shop.folder), check=False).stdout)
    assert letter["stream"] == "consumers.loans" and json.loads(letter["record_value"])["eventHeader"]["note"] == "\0"
    again = headrace("dead-letters", "replay", "all", "-p", str(shop.folder), check=False)
    assert again.returncode == 1 and "still waits: the table does not take it" in again.stdout
    headrace("dead-letters", "discard", "all", "--yes", "-p", str(shop.folder))
    assert read_waiting(catalogue, catalogue.by_id["consumer/loans"]).state is State.PASSED


def test_what_is_left_in_a_topic_that_the_filter_does_not_write_to_any_more_is_told_until_it_is_received(shop: Shop, platform: Platform):
    def moved(topic: str, version: int) -> None:
        shop.declare_filters([LOANS | {"outputTopic": topic, "version": version}])
        shop.apply()

    produce(shop, [json.dumps(loan(number, 200000)).encode() for number in range(3)])
    until(lambda: _behind(shop) == 3, _ARRIVES, "the events wait")
    moved("large-loans", 4)
    health = shop.health("consumer/loans")
    assert health.state is State.FAILED and f"3 events are left in topic {shop.name}.events.loans, which" in health.text
    moved("loans", 5)
    with consuming(platform, shop.folder, "loans"):
        until(lambda: len(received(shop)) == 3, _ARRIVES, "they are received")
        until(lambda: _behind(shop) == 0, _ARRIVES, "that is committed")
    moved("large-loans", 6)
    assert "nobody receives" in shop.health("consumer/loans").text


def test_an_event_is_followed_by_its_uuid_from_the_raw_topic_to_its_consumer(shop: Shop, platform: Platform):
    passing, staying, unjudgeable, unknown = (str(uuid4()) for _ in range(4))
    events = loan(0, 200000), loan(1, 5), loan(2, "much")
    for event, uuid in zip(events, (passing, staying, unjudgeable), strict=True):
        event["eventHeader"]["uuid"] = uuid
    produce(shop, [json.dumps(event).encode() for event in events])
    wait_until_read(shop)

    def traced(uuid: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The event at its only place, and what its only filter makes of it."""
        [stream] = json.loads(headrace("events", "trace", uuid, "--json", "-p", str(shop.folder)).stdout)["streams"]
        [found] = stream["found"]
        [said] = found["filters"]
        return found, said

    found, said = traced(passing)
    [written] = found["written"]
    assert (found["place"], found["behind"], found["letters"]) == (f"{shop.name}.raw-business-events:0:0", 0, [])
    assert (said["filter"], said["became"], said["topics"]) == ("high-value-loans", "passed", [f"{shop.name}.events.loans"])
    assert (written["filter"], written["version"]) == ("high-value-loans", 3) and written["place"].startswith(f"{shop.name}.events.loans:")
    assert written["readers"] == [{"consumer": "loans", "behind": 1, "received_at": None, "times": 0}]
    with consuming(platform, shop.folder, "loans"):
        until(lambda: received(shop) == [("loan-0", 0)], _ARRIVES, "it is received")
        until(lambda: _behind(shop) == 0, _ARRIVES, "that is committed")
    [reader] = traced(passing)[0]["written"][0]["readers"]
    assert (reader["behind"], reader["times"]) == (0, 1) and reader["received_at"]
    assert "loans: has it since " in headrace("events", "trace", passing, "-p", str(shop.folder)).stdout
    found, said = traced(staying)
    assert (said["became"], said["because"]) == ("stayed", ["false: updatedAttributes.loan.loanAmount greaterThan 100000; it is 5"])
    assert (found["written"], found["letters"]) == ([], [])
    found, said = traced(unjudgeable)
    [letter] = found["letters"]
    assert said["became"] == "set aside" and "it is 'much'" in said["because"][0] and found["written"] == []
    assert (letter["by"], letter["settled"]) == ("shop", None) and letter["reason"].startswith("filter high-value-loans, version 3: ")
    lost = headrace("events", "trace", unknown, "-p", str(shop.folder), check=False)
    assert lost.returncode == 1 and "3 were looked at, all that Kafka still holds" in lost.stderr


class Desk:
    """A consumer of the test's own."""

    def __init__(self, *failures: Exception) -> None:
        self.failures, self.taken, self.aside = list(failures), list[int](), list[str]()
        self.tries = 0

    def handle(self, events: Sequence[Received]) -> None:
        self.tries += 1
        if self.failures:
            raise self.failures.pop(0)
        self.taken += [event.part("eventBody", "entities", 0, "updatedAttributes", "loan", "number") for event in events]

    def set_aside(self, event: Received, reason: str) -> None:
        self.aside.append(reason)


def test_a_consumer_that_raises_ends_where_it_stands_and_loses_nothing(shop: Shop):
    produce(shop, [json.dumps(loan(number, 200000)).encode() for number in range(5)])
    project = shop.catalogue().project
    one = project.consumers["loans"]

    def loop(desk: Desk) -> Loop:
        servers = shop.environment.kafka.bootstrap_servers
        return Loop(servers, project.consumer_group(one.name), project.received_topics(one), desk)

    for _ in range(2):
        with pytest.raises(Ended, match=r"ValueError on .*events\.loans:.*: no such loan; nothing of it is committed"):
            loop(Desk(ValueError("no such loan"))).run()
    until(lambda: _behind(shop) == 5, _ARRIVES, "all five wait")
    desk = Desk(Retriable("not yet"), Retriable("not yet"))
    running = loop(desk)
    thread = Thread(target=running.run)
    thread.start()
    until(lambda: sorted(desk.taken) == list(range(5)), _ARRIVES, "all five are taken")
    until(lambda: (running.counts.tries_again, running.counts.handled) == (2, 5), _ARRIVES, "they are counted")
    desk.failures.append(Poison("torn"))
    produce(shop, [json.dumps(loan(5, 200000)).encode()])
    until(lambda: desk.aside == ["torn"], _ARRIVES, "what nobody can take is set aside")
    with pytest.raises(Refused, match="it still runs, with 1 members"):
        catalogue = shop.catalogue()
        catalogue.backends["consumers"].delete("consumer/loans")
    running.close()
    thread.join(30)
    assert not thread.is_alive() and _behind(shop) == 0
    assert shop.health("consumer/loans").state is State.WARNING, "nobody receives"


def test_interrupting_a_consumer_ends_it_quietly(shop: Shop, platform: Platform):
    with consuming(platform, shop.folder, "loans") as member:
        until(lambda: _members(shop) == 1, _ARRIVES, "it runs")
        member.send_signal(signal.SIGINT)
        assert member.wait(30) == 0
    said = headrace("consume", "loan", "-p", str(shop.folder), check=False).stderr
    assert said.strip() == 'no consumer is called loan; did you mean "loans"?'
