"""Events of an outbox go where filters say: exactly those, with their stamp; what cannot be judged is set aside with its bytes."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

import pytest
import yaml
from psycopg.types.json import Jsonb

from e2e.conftest import ROOT, headrace
from e2e.loans import LOANS, compare, counted, loan, origin, produce, received, set_aside, wait_until_read, write
from e2e.random_filters import random_event, random_filter
from e2e.shops import Shop, open_shop
from e2e.topics import headers, records
from e2e.waiting import until
from flink import offsets
from orchestration.jobs import prunable
from orchestration.reconcile import Action, plan
from project.environment import Environment
from project.filters.reading import pointless_filters
from project.loader import load_project
from project.resources import Refused, State

PAGE = ROOT / "docs" / "filters.md"
_ARRIVES = 60  # seconds
QUOTES = {
    "id": "quotes", "name": "A name that would be a condition", "consumerId": "quotes", "outputTopic": "quotes", "enabled": True,
    "conditions": [{"field": "entityId", "operator": "equals", "value": "O'Hara' OR '1'='1"}],
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, platform: object, environment: Environment) -> Iterator[Shop]:
    """An empty outbox."""
    with open_shop(tmp_path, environment) as opened:
        yield opened


def account(shop: Shop) -> list[dict[str, Any]]:
    """What every filter made of all events; fails if one is lost or stands where it should not."""
    return json.loads(headrace("dead-letters", "account", "--json", "-p", str(shop.folder)).stdout)


def test_a_trigger_tells_of_rows_as_the_page_says(shop: Shop):
    kinds = ["LoanCreated", "LoanUpdated", "LoanDeleted"]
    shop.declare_filters([LOANS | {"conditions": [{"field": "eventName", "operator": "in", "values": kinds}]}])
    shop.apply()
    shop.source.execute("create table loan_entities (entity_id text primary key, entity_data jsonb)")
    [trigger] = re.findall(r"^```sql\n(create function.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    shop.source.execute(trigger.replace("business_events", "outbox").encode())
    shop.source.execute("""insert into loan_entities values ('loan-1', '{"loanAmount": 5}')""")
    shop.source.execute("""update loan_entities set entity_data = '{"loanAmount": 7}'""")
    shop.source.execute("delete from loan_entities")
    until(lambda: len(received(shop, "loans")) == len(kinds), _ARRIVES, "an event of each change arrives")
    found = received(shop, "loans")
    assert [event["eventHeader"]["eventName"] for event in found] == kinds
    assert [_amount(event) for event in found] == [5, 7, 7]
    assert {event["eventBody"]["entities"][0]["entityId"] for event in found} == {"loan-1"}
    assert [event["sourceMetadata"]["operation"] for event in found] == ["INSERT", "UPDATE", "DELETE"]


def test_a_consumer_gets_exactly_the_events_of_its_filter(shop: Shop):
    shop.declare_filters([LOANS, QUOTES], parallelism=2)
    shop.apply()
    events = [loan(number, amount) for number, amount in enumerate([100000, "100000.01", 250000, 5, 1e30, 100001] * 20)]
    events += [loan(200, 900000, "LoanClosed"), loan(201, 900000)]
    events[0]["eventBody"]["entities"][0]["entityId"] = "O'Hara' OR '1'='1"
    write(shop, *events)
    created = [event for event in events if event["eventHeader"]["eventName"] == "LoanCreated"]
    wanted = [event for event in created if 100000 < float(_amount(event)) < 1e20]
    until(lambda: len(received(shop, "loans")) >= len(wanted), _ARRIVES, "the events arrive")
    wait_until_read(shop)
    found = received(shop, "loans")
    for event in found:
        stamp = event.pop("filterMetadata")
        assert {**stamp, "filteredAt": 0} == {"filterId": "high-value-loans", "ruleVersion": 3, "consumerId": "loans", "filteredAt": 0}
        assert abs(datetime.now(UTC).timestamp() * 1000 - stamp["filteredAt"]) < 300_000
    assert Counter(map(json.dumps, found)) == Counter(map(_as_sent, wanted))
    for key in range(7):
        numbers = [_number(event) for event in found if event["eventBody"]["entities"][0]["entityId"] == f"loan-{key}"]
        assert numbers == sorted(numbers), "events of one loan stay in their order"
    assert [_number(event) for event in received(shop, "quotes")] == [0]
    said = set_aside(shop)
    assert len(said) == 20 and {reason for *_, reason in said} == {
        "filter high-value-loans, version 3: a value is not of the type that it compares"
    }
    tried = json.loads(headrace("filters", "try", "high-value-loans", "--json", "-p", str(shop.folder)).stdout)
    assert list(tried.values()) == [len(wanted), len(events) - len(wanted) - 20, 20, 0]
    until(lambda: shop.health("job/shop").state is State.PASSED, _ARRIVES * 3, "the check of the job is green")
    listed = json.loads(headrace("dead-letters", "list", "--json", "-p", str(shop.folder), check=False).stdout)
    assert len(listed) == 20 and all(float(_amount(json.loads(one["record_value"]))) == 1e30 for one in listed)
    assert {one["target"].rpartition(":")[0].rpartition(":")[0] for one in listed} == {f"{shop.name}.raw-business-events"}
    done = headrace("dead-letters", "replay", listed[0]["id"], "-p", str(shop.folder), check=False)
    assert done.returncode == 1 and "still waits: filter high-value-loans cannot judge it: updatedAttributes.loan.loanAmount" in done.stdout
    headrace("dead-letters", "discard", "all", "--yes", "-p", str(shop.folder))
    assert headrace("dead-letters", "list", "-p", str(shop.folder)).returncode == 0
    sums = [(len(wanted), len(events) - len(wanted) - 20, 20), (1, len(events) - 1, 0)]
    assert [(one["matched"], one["rejected"], one["set_aside"]) for one in account(shop)] == sums
    [(pulse,)] = shop.rows("select max(pulse_at) from pulse where stream = 'shop'")
    until(lambda: shop.rows("select max(pulse_at) from pulse where stream = 'shop'")[0][0] > pulse, _ARRIVES, "the pulse goes on")
    assert shop.source.execute("select count(*) from outbox").fetchone() == (0,)


def test_a_changed_filter_takes_over_where_the_one_before_stopped(shop: Shop):
    shop.declare_filters([LOANS])
    shop.apply()
    over, sent = Event(), list[int]()

    def trade() -> None:
        while not over.wait(0.005):
            produce(shop, [json.dumps(loan(len(sent), 200000)).encode()])
            sent.append(len(sent))

    with ThreadPoolExecutor(1) as pool:
        trading = pool.submit(trade)
        until(lambda: len(received(shop, "loans")) > 50, _ARRIVES, "events go their way")
        shop.declare_filters([{**LOANS, "version": 4}], parallelism=2)
        shop.apply()
        until(lambda: received(shop, "loans")[-1]["filterMetadata"]["ruleVersion"] == 4, _ARRIVES, "the new version judges")
        over.set()
        trading.result()
    until(lambda: len(received(shop, "loans")) >= len(sent), _ARRIVES, "every event has arrived")
    found = received(shop, "loans")
    assert [_number(event) for event in found] == sent, "each once, in its order"
    versions = [event["filterMetadata"]["ruleVersion"] for event in found]
    assert versions == sorted(versions) and set(versions) == {3, 4}


def test_events_that_the_outbox_still_holds_come_again_on_command_and_say_so(shop: Shop):
    shop.declare_filters([LOANS])
    kept = loan(1, 200000)
    shop.source.execute("insert into outbox (entity_id, event) values ('loan-1', %s)", [Jsonb(kept)])
    shop.apply()
    until(lambda: len(received(shop, "loans")) == 1, _ARRIVES, "what was there before the first start arrives")
    shop.source.execute("update outbox set entity_id = 'loan-2'")
    write(shop, loan(2, 300000))
    for number in (3, 4):
        shop.source.execute("insert into outbox (entity_id, event) values ('loan-3', %s)", [Jsonb(loan(number, 400000))])
    until(lambda: _numbers(shop) == [1, 2, 3, 4], _ARRIVES, "the others arrive, and an update is no event")
    shop.reread()
    until(lambda: _numbers(shop) == [1, 2, 3, 3, 4, 4], _ARRIVES, "what the outbox holds arrives again, also if it is of one loan")
    raw = [headers(record)["__op"] for record in records(shop.environment.kafka, f"{shop.name}.raw-business-events")]
    assert Counter(raw) == {"r": 3, "c": 3}
    marks = [headers(record).get("headrace.snapshot") for record in records(shop.environment.kafka, f"{shop.name}.events.loans")]
    assert Counter(marks) == {"true": 3, None: 3}, "a consumer knows what was read from the table"


def _numbers(shop: Shop) -> list[int]:
    return sorted(_number(event) for event in received(shop, "loans"))


def _amount(event: dict[str, Any]) -> Any:
    return event["eventBody"]["entities"][0]["updatedAttributes"]["loan"]["loanAmount"]


def _number(event: dict[str, Any]) -> int:
    return event["eventBody"]["entities"][0]["updatedAttributes"]["loan"]["number"]


def _as_sent(event: dict[str, Any]) -> str:
    """jsonb has an order of keys of its own: shorter ones first."""

    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: ordered(value[key]) for key in sorted(value, key=lambda key: (len(key), key))}
        return [ordered(one) for one in value] if isinstance(value, list) else value

    return json.dumps(ordered(event))


def test_flink_judges_every_event_as_the_evaluator_does(shop: Shop):
    rng = Random(shop.name)
    filters = []
    while len(filters) < 6:
        with suppress(ValueError):  # some cannot be meant, and are refused
            one = random_filter(rng, len(filters), "out")
            filters += [] if list(pointless_filters([one])) else [one]
    shop.declare_filters([one.model_dump(by_alias=True, exclude_unset=True, mode="json") for one in filters])
    shop.apply()
    events = [random_event(rng) for _ in range(1000)]
    produce(shop, events)
    wait_until_read(shop)
    kafka, project = shop.environment.kafka, shop.catalogue().project
    passed = Counter[tuple[int, str]]()
    for record in (one for topic in project.written_topics(project.streams["shop"])[:-1] for one in records(kafka, topic)):
        event = json.loads(record.value() or b"")
        passed[origin(record), event.pop("filterMetadata")["filterId"]] += 1
        assert event == json.loads(events[origin(record)])
    aside = Counter((offset, reason.split(",")[0]) for offset, _, reason in set_aside(shop))
    for raw in records(kafka, f"{shop.name}.raw-business-events"):
        if raw.partition() == 0:
            compare(shop.name, filters, raw, passed, aside)
    assert not +passed and not +aside
    assert {one["events"] for one in account(shop)} == {1000}, "the command says the same"


def test_what_became_of_every_event_is_counted_once(shop: Shop):
    shop.declare_filters([LOANS, QUOTES])
    shop.apply()
    events = [json.dumps(loan(number, amount)).encode() for number, amount in enumerate([5, 200000, 1e30, 100001] * 10)]
    produce(shop, [*events, b"no event", b"{}"])
    wait_until_read(shop)
    assert counted(shop) == {"high-value-loans": (40, 20, 10, 10), "quotes": (40, 0, 40, 0)}
    assert counted(shop) == {"high-value-loans": (40, 20, 10, 10), "quotes": (40, 0, 40, 0)}, "also if it is counted again"
    flink = shop.catalogue().backends["flink"]
    flink.delete("job/shop")
    offsets.advance(shop.environment.kafka, f"{shop.name}.shop", {(f"{shop.name}.raw-business-events", 0): 7})
    shop.apply()
    produce(shop, events[:4])
    wait_until_read(shop)
    assert len(received(shop, "loans")) > 22, "the events since were written again"
    assert counted(shop) == {"high-value-loans": (44, 22, 11, 11), "quotes": (44, 0, 44, 0)}
    shop.declare_filters([{**LOANS, "status": "deprecated"}, QUOTES])
    assert 'filter high-value-loans says from now on: status "deprecated"' in headrace("plan", "-p", str(shop.folder)).stdout
    headrace("apply", "job/shop", "-p", str(shop.folder), check=False)  # its dead letters wait
    assert "says from now on" not in headrace("plan", "-p", str(shop.folder)).stdout
    assert ': status "deprecated"' in " ".join(headrace("filters", "list", "--all", "-p", str(shop.folder)).stdout.split())
    created, large = LOANS["conditions"]
    shop.declare_filters([{**LOANS, "conditions": [created, {**large, "value": 150000}]}])
    refusal = plan(shop.catalogue().backends["flink"], shop.catalogue().by_id["job/shop"]).refusal
    assert refusal and refusal.endswith("; expected a new number for a change; say version: 4, or take the change back")
    with pytest.raises(Refused, match="filter high-value-loans was another in version 3"):
        shop.apply()
    shop.declare_filters([{**LOANS, "version": 4, "conditions": [created, {**large, "value": 150000}]}])
    planned = plan(shop.catalogue().backends["flink"], shop.catalogue().by_id["job/shop"])
    assert (planned.note or "").splitlines()[:2] == [
        "filter quotes ends: consumer quotes and whoever else reads quotes get no more of its events",
        "filter high-value-loans changes for consumer loans and whoever else reads loans: version 3 → 4; no longer asks "
        "updatedAttributes.loan.loanAmount greaterThan 100000; now asks updatedAttributes.loan.loanAmount greaterThan 150000",
    ]
    shop.apply()
    produce(shop, events)
    wait_until_read(shop)
    assert counted(shop) == {"high-value-loans": (40, 10, 20, 10)}
    ended = "select filter_id, rule_version, judged, matched, rejected, set_aside from filter_versions where complete order by 1"
    assert shop.rows(ended) == [("high-value-loans", 3, 44, 22, 11, 11), ("quotes", 1, 44, 0, 44, 0)]
    places = shop.rows("select coalesce(ends, begins) from filter_versions where filter_id = 'high-value-loans'")
    assert places == [({"0": 46, "1": 0},)] * 2, "one begins where the other ended"
    headrace("filters", "rollback", "high-value-loans", "-p", str(shop.folder))
    [again] = load_project(shop.folder).streams["shop"].filters
    assert (again.version, again.conditions[1].value) == (5, 100000)  # type: ignore[union-attr] - a condition


def declare_loans(shop: Shop, version: int, kept: bool = False, **more: Any) -> None:
    """What a loan holds, beside its amount and number."""
    fields = {"loanAmount": {"type": "number", "required": True}, "number": "number", **more}
    said = {"source": "shop", "version": version, "entities": {"Loan": {"loan": {"type": "object", "required": True, "fields": fields}}}}
    (shop.folder / "events").mkdir(exist_ok=True)
    (shop.folder / "events" / f"LoanCreated{f'@{version}' if kept else ''}.yaml").write_text(yaml.safe_dump(said, sort_keys=False))


def test_a_schema_is_held_against_what_was_applied(shop: Shop):
    event, needed = "event/LoanCreated", {"type": "string", "required": True}
    shop.declare_filters([LOANS])
    declare_loans(shop, 1)
    assert shop.apply()[event] is Action.CREATE
    declare_loans(shop, 1, status=needed)
    refused = headrace("plan", "-p", str(shop.folder), check=False)
    assert refused.returncode == 1
    changed = "version 1 of LoanCreated is not what was applied"
    assert f"events/LoanCreated.yaml:2: {changed}: Loan.loan.status is new and required" in refused.stdout
    with pytest.raises(Refused, match=r"keep events/LoanCreated@1\.yaml as it was applied and say version: 2, or take the change back"):
        shop.apply()
    declare_loans(shop, 1, kept=True)
    declare_loans(shop, 2, rate="number")
    assert "version 1 → 2: Loan.loan.rate is new" in headrace("plan", "-p", str(shop.folder)).stdout
    done = shop.apply()
    assert (done[event], done["job/shop"]) == (Action.UPDATE, Action.NONE), "no job is stopped for it"
    declare_loans(shop, 1, kept=True, status="string")
    kept = headrace("plan", "-p", str(shop.folder), check=False)
    assert kept.returncode == 1 and f"events/LoanCreated@1.yaml:2: {changed}" in kept.stdout
    (shop.folder / "events" / "LoanCreated@1.yaml").unlink()
    declare_loans(shop, 1)
    assert "version 2 is taken back; its events stay where they are" in headrace("plan", "-p", str(shop.folder)).stdout
    assert shop.apply()[event] is Action.UPDATE
    assert shop.rows("select version from event_versions order by applied_at") == [(1,), (2,), (1,)]
    (shop.folder / "events" / "LoanCreated.yaml").unlink()
    assert {event, "table/event_versions"} <= set(prunable(shop.catalogue()))
    headrace("prune", "--yes", "-p", str(shop.folder))
    assert not {event, "table/event_versions"} & set(prunable(shop.catalogue()))


def test_a_stream_under_another_name_does_not_judge_again_what_its_consumers_have(shop: Shop):
    shop.declare_filters([LOANS])
    shop.apply()
    write(shop, *(loan(number, 200000) for number in range(5)))
    until(lambda: len(received(shop, "loans")) == 5, _ARRIVES, "the events arrive")
    wait_until_read(shop)
    streams = shop.folder / "streams"
    (streams / "shop.yaml").rename(streams / "routing.yaml")
    with pytest.raises(Refused, match=r"stream shop wrote these topics, .* expected the name it had"):
        shop.apply()
    shop.catalogue().backends["flink"].delete("job/shop")
    assert "job/shop" in prunable(shop.catalogue()), "the way out, also where Flink has lost the job"
    (streams / "routing.yaml").rename(streams / "shop.yaml")
    shop.apply()
    write(shop, loan(6, 200000))
    until(lambda: len(received(shop, "loans")) > 5, _ARRIVES, "the next event arrives")
    wait_until_read(shop)
    assert len(received(shop, "loans")) == 6
