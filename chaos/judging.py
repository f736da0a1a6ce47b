"""After a fault: how long until all is fresh, and whether every promise was kept."""

import json
import time
from collections import defaultdict, deque
from contextlib import ExitStack, suppress
from decimal import Decimal
from random import Random
from typing import Any

import psycopg
from confluent_kafka import TopicPartition

from chaos.fault import LOUD
from chaos.faults import Fault
from chaos.judging_events import heard, unheard
from chaos.sequences import missed
from chaos.steps import ORDERS
from chaos.world import World
from e2e.trading import Trade, forget, orders, trading
from e2e.waiting import until
from orchestration import fencing
from orchestration.catalogue import Catalogue
from orchestration.certificates import Certificate
from orchestration.verifying import verify
from project.models import Stream
from project.resources import Refused

_RECOVERED = 300  # seconds
_CALM = 240  # seconds until every check is green
_SLOTS = "select slot_name from pg_replication_slots where slot_name like any(%s)"
_UNBALANCED = "view/vw_data_quality:expected"  # rightly red: orders of the customer who trades meanwhile have totals, and no items


def broken_promises(world: World, fault: Fault, rng: Random) -> tuple[float, list[str]]:
    """Let a fault do its work while customers trade and events come; seconds until all is fresh after it, and the promises that were
    not kept."""
    places = [place for place in world.ends("ecom") if place.topic == ORDERS]
    with ExitStack() as business:
        trade = business.enter_context(trading(world.source, Random(rng.random())))
        if world.dealership:
            business.enter_context(world.outbox.telling(lambda: world.source("events"), Random(rng.random())))
        fault.act(world, rng)
        cleared = time.monotonic()
        fresh(world)
        heard(world)
        seconds = time.monotonic() - cleared
        found = [*_differences(world), *_control(world), *unaccounted(world), *_not_green(world)]
    fresh(world)
    found += [*idle(world, trade), *unequal(world, trade)]
    if fault.promise != LOUD:
        found += missing(world, places, trade)
    found += unheard(world, whole=fault.promise != LOUD)
    world.call(forget, world.source, trade.customer)
    return seconds, found


def idle(world: World, trade: Trade) -> list[str]:
    """Where nothing happens every promise is kept: whoever trades, or tells of events, may have ended."""
    happened = {"bought": trade.committed, "told of": world.outbox.told if world.dealership else True}
    return [f"nothing was {what} meanwhile" for what, anything in happened.items() if not anything]


def fresh(world: World) -> None:
    """Return when every job runs, and a change that every source commits from then on can be seen by analysts.

    A TaskManager goes on for some seconds with the jobs of a JobManager that is gone, so to be fresh alone is not to be well.
    """
    for catalogue, stream in [(one, stream) for one in world.catalogues for stream in one.project.streams.values()]:

        def passed(catalogue: Catalogue = catalogue, stream: Stream = stream) -> bool:
            with suppress(Refused, psycopg.Error):
                if _jobs(catalogue, f"job/{stream.name}") == 1:
                    fencing.behind(catalogue, stream, fencing.take(catalogue, stream))
                    return True
            return False

        until(passed, _RECOVERED, f"stream {stream.name} is fresh")


def _differences(world: World) -> list[str]:
    """I1: every row is as in its source, while both go on changing."""
    found = []
    for table in world.catalogue.project.target_tables:  # the dealership has none
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
    expected, customer = defaultdict[str, deque[Any]](deque), str(trade.customer).encode()
    for order, now in trade.committed:
        expected[str(order)].append(now)
    lacking = missed(expected, map(_change, filter(lambda value: customer in value, world.records(places))))
    said = f"I2: the changes of {len(lacking)} orders are not all in Kafka, first "
    return [said + next(f"{order}: {changes[0]}" for order, changes in lacking.items())] if lacking else []


def _change(record: bytes) -> tuple[str, tuple[str, Decimal] | None]:
    """An order, and what it is from then on."""
    change = json.loads(record)
    row = change["after"] or change["before"]
    return row["id"], (row["status"], Decimal(row["total"])) if change["after"] else None


def unaccounted(world: World) -> list[str]:
    """I5: every record that a stream has passed was read or is set aside, and every event is where its filters send it."""
    accounts = [world.headrace("dead-letters", "account", "-p", str(folder), check=False) for folder in world.folders]
    return [f"I5: {one.stdout[-1000:]}{one.stderr[-500:]}" for one in accounts if one.returncode]


def _control(world: World) -> list[str]:
    """I7: one slot, one connector, one job of each; nothing is left over, and an apply has nothing to do."""
    found = []
    for folder in world.folders:
        plan = world.headrace("plan", "--json", "-p", str(folder), check=False)
        if plan.returncode or '"changes": []' not in plan.stdout or '"prunable": []' not in plan.stdout:
            found.append(f"I7: an apply is not empty: {plan.stdout[:500]}{plan.stderr[:500]}")
    for catalogue in world.catalogues:
        running = {job.id: _jobs(catalogue, job.id) for job in catalogue.of_kind("job")}
        found += [f"I7: {job} runs {times} times" for job, times in running.items() if times != 1]
    with world.source() as source:
        slots = source.execute(_SLOTS, [[f"headrace_{one.project.name}_%" for one in world.catalogues]]).fetchall()
    if {name for (name,) in slots} != {one.slot for one in world.captured.values()}:
        found.append(f"I7: other slots than one for each source: {slots}")
    return found


def _jobs(catalogue: Catalogue, job_id: str) -> int:
    """How many jobs of a stream Flink knows."""
    job = catalogue.by_id[job_id]
    return len((catalogue.backend(job).read(job) or {}).get("running", []))


def _not_green(world: World) -> list[str]:
    """I8, the other way: what is well again is told so."""
    deadline = time.monotonic() + _CALM
    while left := {check: text for check, text in world.graph.not_green().items() if check != _UNBALANCED}:
        if time.monotonic() > deadline:
            return [f"I8: still not green after {_CALM} s: {left}"]
        time.sleep(1)
    return []
