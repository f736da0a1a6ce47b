"""After a fault: how long until all is fresh, and whether every promise was kept."""

import json
import time
from collections import defaultdict, deque
from contextlib import suppress
from decimal import Decimal
from random import Random

import psycopg
from confluent_kafka import TopicPartition

from chaos.fault import LOUD
from chaos.faults import Fault
from chaos.steps import ORDERS
from chaos.world import World
from e2e.trading import Trade, forget, orders, trading
from e2e.waiting import until
from orchestration import fencing
from orchestration.certificates import Certificate
from orchestration.verifying import verify
from project.models import Stream
from project.resources import Refused

_RECOVERED = 300  # seconds
_CALM = 240  # seconds until no check is red
_UNBALANCED = "view/vw_data_quality:expected"  # rightly red: orders of the customer who trades meanwhile have totals, and no items


def broken_promises(world: World, fault: Fault, rng: Random) -> tuple[float, list[str]]:
    """Let a fault do its work while customers trade; seconds until all is fresh after it, and the promises that were not kept."""
    places = [place for place in world.ends("ecom") if place.topic == ORDERS]
    with trading(world.source, Random(rng.random())) as trade:
        fault.act(world, rng)
        cleared = time.monotonic()
        fresh(world)
        seconds = time.monotonic() - cleared
        found = [*_differences(world), *_control(world), *unaccounted(world), *_red(world)]
    fresh(world)
    found += unequal(world, trade)
    if fault.promise != LOUD:
        found += missing(world, places, trade)
    world.call(forget, world.source, trade.customer)
    return seconds, found


def fresh(world: World) -> None:
    """Return when every job runs, and a change that every source commits from then on can be seen by analysts.

    A TaskManager goes on for some seconds with the jobs of a JobManager that is gone, so to be fresh alone is not to be well.
    """
    for stream in world.catalogue.project.streams.values():

        def passed(stream: Stream = stream) -> bool:
            with suppress(Refused, psycopg.Error):
                if _jobs(world, f"job/{stream.name}") == 1:
                    fencing.behind(world.catalogue, stream, fencing.take(world.catalogue, stream))
                    return True
            return False

        until(passed, _RECOVERED, f"stream {stream.name} is fresh")


def _differences(world: World) -> list[str]:
    """I1: every row is as in its source, while both go on changing."""
    found = []
    for table in world.catalogue.project.target_tables:
        certificate = until(lambda table=table: _certificate(world, table), _RECOVERED, f"{table} can be compared")
        if certificate and certificate.differences:
            found.append(f"I1: {certificate.count} rows of {table} differ, first {certificate.differences[0]}")
    return found


def _certificate(world: World, table: str) -> Certificate | None:
    try:
        return verify(world.catalogue, table)
    except Refused:
        return None


def unequal(world: World, trade: Trade) -> list[str]:
    """I1 once more, of the customer's orders and by plain SQL: `verify` belongs to what is judged."""
    expected = orders(world.source, "orders", trade.customer) or set()
    different = expected ^ (orders(world.analytics, "fact_orders", trade.customer) or set())
    count = len({order for order, *_ in different})
    return [f"I1: by plain SQL {count} of {len(expected)} orders differ, such as {next(iter(different))}"] if different else []


def missing(world: World, places: list[TopicPartition], trade: Trade) -> list[str]:
    """I2: every change that the source took stands in the topic, those of a row in their order; some may stand there twice."""
    expected, customer = defaultdict[str, deque[object]](deque), str(trade.customer).encode()
    for order, now in trade.committed:
        expected[str(order)].append(now)
    for record in filter(lambda value: customer in value, world.records(places)):
        change = json.loads(record)
        row = change["after"] or change["before"]
        now = (row["status"], Decimal(row["total"])) if change["after"] else None
        if (waiting := expected[row["id"]]) and waiting[0] == now:
            waiting.popleft()
    lacking = [f"{order}: {changes[0]}" for order, changes in expected.items() if changes]
    return [f"I2: the changes of {len(lacking)} orders are not all in Kafka, first {lacking[0]}"] if lacking else []


def unaccounted(world: World) -> list[str]:
    """I5: every record that a stream has passed was read or is set aside."""
    account = world.headrace("dead-letters", "account", check=False)
    return [f"I5: {account.stdout[-1000:]}{account.stderr[-500:]}"] if account.returncode else []


def _control(world: World) -> list[str]:
    """I7: one slot, one connector, one job of each; nothing is left over, and an apply has nothing to do."""
    found = []
    plan = world.headrace("plan", "--json", check=False)
    if plan.returncode or '"changes": []' not in plan.stdout or '"prunable": []' not in plan.stdout:
        found.append(f"I7: an apply is not empty: {plan.stdout[:500]}{plan.stderr[:500]}")
    for job in world.catalogue.of_kind("job"):
        if (running := _jobs(world, job.id)) != 1:
            found.append(f"I7: {job.id} runs {running} times")
    with world.source() as source:
        slots = source.execute("select count(*) from pg_replication_slots where slot_name like 'headrace_bookstore_%'").fetchone()
    if slots != (2,):
        found.append(f"I7: {slots} slots instead of 2")
    return found


def _jobs(world: World, job_id: str) -> int:
    """How many jobs of a stream Flink knows."""
    job = world.catalogue.by_id[job_id]
    return len((world.catalogue.backend(job).read(job) or {}).get("running", []))


def _red(world: World) -> list[str]:
    """I8, the other way: what is well again is told so."""
    deadline = time.monotonic() + _CALM
    while red := {check: text for check, text in world.graph.red().items() if check != _UNBALANCED}:
        if time.monotonic() > deadline:
            return [f"I8: still red after {_CALM} s: {red}"]
        time.sleep(1)
    return []
