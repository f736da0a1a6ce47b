"""What can break. Each fault breaks something and clears it; what heals only on command is given the command that its check names."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import Random

import psutil
from confluent_kafka import Consumer, TopicPartition

from chaos.world import World
from e2e.waiting import until
from infra import supervision
from orchestration.exclusive import exclusive

_ALONE = "comes back by itself; nothing is lost"
_LOUD = "red before anyone is misled; equal after the command that the check names"
_UNHARMED = "goes on; nothing is lost"
_COMPONENTS = ("flink-taskmanager", "flink-jobmanager", "connect", "kafka", "postgres-source", "postgres-analytics")
_ORDERS = "ecom-connector.public.orders"


@dataclass(frozen=True)
class Fault:
    name: str
    number: str  # in the list of faults that the product answers for
    promise: str
    act: Callable[[World, Random], None]

    @property
    def quick(self) -> bool:
        """Nobody has to see it first, so it is over within a minute or two."""
        return self.promise != _LOUD

    @property
    def does(self) -> str:
        """What is done, in words."""
        return " ".join((self.act.__doc__ or "").split())


FAULTS: dict[str, Fault] = {}


def fault(number: str, promise: str) -> Callable[[Callable[[World, Random], None]], Callable[[World, Random], None]]:
    def register(act: Callable[[World, Random], None]) -> Callable[[World, Random], None]:
        name = act.__name__.replace("_", "-")
        FAULTS[name] = Fault(name, number, promise, act)
        return act

    return register


# --- processes


@fault("F01", _ALONE)
def kill_taskmanager(world: World, rng: Random) -> None:
    """The TaskManager is killed, up to three times."""
    for _ in range(rng.randint(1, 3)):
        world.kill("flink-taskmanager")
        time.sleep(rng.uniform(0, 5))


@fault("F02", _ALONE)
def kill_jobmanager(world: World, rng: Random) -> None:
    """The JobManager is killed, and with it every job."""
    world.kill("flink-jobmanager")


@fault("F03", _ALONE)
def kill_connect_in_a_transaction(world: World, rng: Random) -> None:
    """Kafka Connect is killed while it reads a transaction of 50,000 rows, with short ones beside it and a long one open."""
    with world.source() as long, long.transaction():
        long.execute("update books set description = coalesce(description, '') || ' (checked)'")
        with world.source() as source:
            source.execute(_MANY_ORDERS, [50_000])
        time.sleep(rng.uniform(0, 2))
        world.kill("connect")
    _forget_orders(world)


@fault("F04", _ALONE)
def kill_connect_in_a_copy(world: World, rng: Random) -> None:
    """Kafka Connect is killed while 50,000 rows arrive by COPY."""
    with world.source() as source, source.cursor().copy("copy orders (user_id, total, status) from stdin") as rows:
        for number in range(50_000):
            rows.write_row([_NOBODY, number, "PENDING"])
    time.sleep(rng.uniform(0, 2))
    world.kill("connect")
    _forget_orders(world)


@fault("F48", _ALONE)
def kill_connect_in_a_snapshot(world: World, rng: Random) -> None:
    """Kafka Connect is killed while it reads all tables of a source again."""
    world.headrace("reread", "ecom", "--yes")
    time.sleep(rng.uniform(0, 1))
    world.kill("connect")


@fault("F05", _ALONE)
def kill_kafka(world: World, rng: Random) -> None:
    """The broker is killed."""
    world.kill("kafka")


@fault("F06", _ALONE)
def kill_the_source(world: World, rng: Random) -> None:
    """The source's PostgreSQL is killed."""
    world.kill("postgres-source")


@fault("F07", _ALONE)
def kill_the_analytics_database(world: World, rng: Random) -> None:
    """The analytics PostgreSQL is killed amid 20,000 changes."""
    with world.source() as source:
        source.execute(_MANY_ORDERS, [20_000])
    world.kill("postgres-analytics")
    _forget_orders(world)


@fault("F08", _ALONE)
def kill_everything(world: World, rng: Random) -> None:
    """All processes but the supervisor are killed at once, in any order."""
    components = list(world.pids())
    rng.shuffle(components)
    world.kill(*components)


@fault("F08", _ALONE)
def kill_two(world: World, rng: Random) -> None:
    """Two components are killed, the second while the first comes back."""
    for component in rng.sample(_COMPONENTS, 2):
        world.kill(component)


@fault("F08", "comes back with `up`; nothing is lost")
def cut_the_power(world: World, rng: Random) -> None:
    """All processes are killed, the supervisor first, as if the power went; then `headrace up`."""
    supervisor = supervision.pid(world.platform)
    assert supervisor is not None
    for pid in (supervisor, *world.pids().values()):
        with suppress(ProcessLookupError):
            for one in (psutil.Process(pid).children(recursive=True) if pid != supervisor else []):
                one.kill()
            os.kill(pid, signal.SIGKILL)
    world.headrace("up")


@fault("F09", _ALONE)
def pause_a_component(world: World, rng: Random) -> None:
    """A component stands still for 20 s without its connections being closed."""
    world.pause(rng.choice(_COMPONENTS), 20)


@fault("F39", _ALONE)
def kill_dagster(world: World, rng: Random) -> None:
    """Dagster's processes are killed while an apply runs."""
    dagster = [name for name in world.pids() if name.startswith("dagster")]
    applying = threading.Thread(target=world.headrace, args=["apply"], kwargs={"check": False})
    applying.start()
    time.sleep(rng.uniform(0, 2))
    world.kill(*dagster)
    applying.join()


@fault("F38", _ALONE)
def kill_superset_in_an_apply(world: World, rng: Random) -> None:
    """Superset is killed while a chart and its dashboard are applied again; the apply is repeated."""
    applying = threading.Thread(target=world.headrace, args=["apply"], kwargs={"check": False})
    applying.start()
    time.sleep(rng.uniform(0, 3))
    world.kill("superset")
    applying.join()
    until(lambda: world.headrace("apply", check=False).returncode == 0, 120, "the apply succeeds")


@fault("F40", "one waits for the other; nothing is made twice")
def two_applies_at_once(world: World, rng: Random) -> None:
    """Two people apply at the same moment, after the jobs were cancelled."""
    for job in world.catalogue.of_kind("job"):
        world.catalogue.backend(job).delete(job.id)
    applies = [threading.Thread(target=world.headrace, args=["apply"]) for _ in range(2)]
    for apply in applies:
        apply.start()
    for apply in applies:
        apply.join()


# --- the source


@fault("F11", _LOUD)
def drop_the_slot(world: World, rng: Random) -> None:
    """The replication slot is dropped while the connector is stopped, rows change, and the connector starts."""
    world.connector("stop")
    world.slot_is_free()
    with world.source() as source:
        source.execute("select pg_drop_replication_slot('headrace_bookstore_ecom')")
        source.execute(_MANY_ORDERS, [100])
    world.connector("resume")
    world.wait_red("connector/ecom-connector:running", "headrace reread")
    world.headrace("reread", "ecom", "--yes")
    _forget_orders(world)


@fault("F12", _LOUD)
def give_the_slot_up(world: World, rng: Random) -> None:
    """While the connector is stopped the source writes more WAL than it may keep, so PostgreSQL invalidates the slot."""
    world.connector("stop")
    world.slot_is_free()
    with world.source() as source:
        source.execute("alter system set max_slot_wal_keep_size = '1MB'")
        source.execute("select pg_reload_conf()")
        source.execute(_MANY_ORDERS, [50_000])
        for _ in range(3):
            source.execute("select pg_switch_wal()")
            source.execute("checkpoint")
        query = "select wal_status from pg_replication_slots where slot_name = 'headrace_bookstore_ecom'"
        until(lambda: source.execute(query).fetchone() == ("lost",), 60, "the slot is lost")
        source.execute("alter system reset max_slot_wal_keep_size")
        source.execute("select pg_reload_conf()")
    world.connector("resume")
    world.wait_red("connector/ecom-connector:running", "headrace reread")
    world.headrace("reread", "ecom", "--yes")
    _forget_orders(world)


@fault("F15", _LOUD)
def leave_the_publication(world: World, rng: Random) -> None:
    """A table is taken out of the publication, and its rows change."""
    with world.source() as source:
        source.execute("alter publication headrace_bookstore_ecom drop table orders")
        source.execute(_MANY_ORDERS, [100])
        world.wait_red("capture/ecom:in_sync")
    world.headrace("apply", "capture/ecom")
    until(lambda: world.headrace("verify", "--heal", "fact_orders", check=False).returncode == 0, 120, "deleted rows are found and healed")
    _forget_orders(world)


@fault("F35", _ALONE)
def refuse_the_login(world: World, rng: Random) -> None:
    """The capture role may not log in for a while, and its session is ended."""
    with world.source() as source:
        source.execute("alter role headrace_capture nologin")
        source.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'headrace_capture'")
        time.sleep(rng.uniform(20, 40))
        source.execute("alter role headrace_capture login")


@fault("F22", _LOUD)
def truncate_a_table(world: World, rng: Random) -> None:
    """A captured table is truncated, which a mirror does not repeat by itself; its stream goes on behind that."""
    with world.source() as source:
        source.execute("truncate order_items")
    _settle_letters(world)


@fault("F23", _UNHARMED)
def change_keys(world: World, rng: Random) -> None:
    """Primary keys change, two of them swap within a transaction, and a megabyte of text goes along unchanged."""
    with world.source() as source:
        source.execute("insert into books (id, title, author, description) values (%s, 'One', 'Nobody', repeat('é…', 300000))", [_one(1)])
        source.execute("insert into books (id, title, author) values (%s, 'Two', 'Nobody')", [_one(2)])
        with source.transaction():
            for old, new in ((1, 3), (2, 1), (3, 2)):
                source.execute("update books set id = %s where id = %s", [_one(new), _one(old)])
        source.execute("update books set title = 'Three' where id = %s", [_one(2)])
        for number in range(rng.randint(50, 150)):
            source.execute("delete from books where id = %s", [_one(1)])
            source.execute("insert into books (id, title, author) values (%s, %s, 'Nobody')", [_one(1), f"flip {number}"])
        source.execute("delete from books where author = 'Nobody'")


@fault("F24", _UNHARMED)
def change_many_at_once(world: World, rng: Random) -> None:
    """A transaction inserts 200,000 rows, one updates them all, one deletes them."""
    with world.source() as source:
        source.execute(_MANY_ORDERS, [200_000])
        source.execute("update orders set total = total + 1 where user_id = %s", [_NOBODY])
        source.execute("delete from orders where user_id = %s", [_NOBODY])


@fault("F33", _UNHARMED)
def keep_a_transaction_open(world: World, rng: Random) -> None:
    """A transaction that changed rows stays open for 30 s while Kafka Connect is restarted, commits or rolls back."""
    with world.source() as source, source.transaction(force_rollback=rng.random() < 0.5):
        source.execute(_MANY_ORDERS, [1000])
        world.kill("connect")
        time.sleep(30)
    _forget_orders(world)


# --- topics and offsets


@fault("F31", _UNHARMED)
def read_again_what_was_read(world: World, rng: Random) -> None:
    """The job is cancelled and its offsets are set back by up to 10,000 records, so that all of them are read twice."""
    with _without_job(world, "ecom"):
        _commit(world, "ecom", lambda first, end: max(end - rng.randint(1000, 10_000), first))


@fault("F47", _LOUD)
def pass_over_records(world: World, rng: Random) -> None:
    """Someone sets the offsets of the stream to the end of its topics while rows wait there: the comparison finds what is missing."""
    with _without_job(world, "ecom"):
        _write_unread_orders(world)
        _commit(world, "ecom", lambda first, end: end)
    world.wait_red("table/fact_orders:equal")
    until(lambda: world.headrace("verify", "--heal", "fact_orders", check=False).returncode == 0, 180, "the rows are healed")
    world.headrace("verify", "--heal", "fact_order_items", "dim_books")
    _forget_orders(world)


@fault("F34", _LOUD)
def expire_unread_records(world: World, rng: Random) -> None:
    """Retention removes records that the stream has not read, while its job is down."""
    with _without_job(world, "ecom"):
        _write_unread_orders(world)
        for future in world.kafka.delete_records([one for one in world.ends("ecom") if one.topic == _ORDERS]).values():
            future.result(30)
    world.wait_red("job/ecom:running", "headrace reread")
    world.headrace("reread", "ecom", "--yes")
    _forget_orders(world)


@fault("F46", _LOUD)
def delete_a_topic(world: World, rng: Random) -> None:
    """A captured table's topic is deleted."""
    for future in world.kafka.delete_topics([_ORDERS]).values():
        future.result(30)
    world.wait_red(f"topic/{_ORDERS}:available")
    until(lambda: world.headrace("apply", check=False).returncode in (0, 1), 120, "an apply makes the topic again")
    world.headrace("reread", "ecom", "--yes")


@fault("F16", _LOUD)
def poison_a_topic(world: World, rng: Random) -> None:
    """Someone writes records to a topic that are no change of any row; the streams go on behind them."""
    for poison in rng.sample((b"{not json", b"\xff\xfe\x00", b'{"op": "x"}', b'{"op": "c", "after": [1]}', b"[" * 2000), 3):
        world.produce(_ORDERS, poison)
    _settle_letters(world)
    assert "job/inventory:running" not in world.graph.red()


# --- the analytics database


@fault("F36", _LOUD)
def refuse_a_row(world: World, rng: Random) -> None:
    """Someone adds a constraint to an analytics table that a row violates; the stream waits, red, and goes on without it."""
    with world.analytics() as analytics:
        analytics.execute("alter table fact_orders add constraint nothing_dear check (total < 100000) not valid")
        with world.source() as source:
            source.execute("insert into orders (user_id, total, status) values (%s, 500000, 'PENDING')", [_NOBODY])
        world.wait_red("job/ecom:running", "nothing_dear")
        analytics.execute("alter table fact_orders drop constraint nothing_dear")
    _forget_orders(world)


@fault("F37", _LOUD)
def change_rows_by_hand(world: World, rng: Random) -> None:
    """Someone deletes, changes and adds rows of an analytics table: the comparison finds each, and they are healed."""
    with world.analytics() as analytics:
        analytics.execute("delete from fact_orders where id in (select id from fact_orders where status = 'DELIVERED' limit 3)")
        analytics.execute(
            "update fact_orders set total = total + 1 where id in (select id from fact_orders where status = 'DELIVERED' limit 3)"
        )
        analytics.execute("insert into fact_orders (id, user_id, total) values (%s, %s, 1)", [_one(4), _NOBODY])
    world.wait_red("table/fact_orders:equal")
    until(lambda: world.headrace("verify", "--heal", "fact_orders", check=False).returncode == 0, 180, "the rows are healed")


@fault("F37", _LOUD)
def drop_a_table(world: World, rng: Random) -> None:
    """Someone drops an analytics table with the views that read it."""
    with world.analytics() as analytics:
        analytics.execute("drop table fact_inventory cascade")
    world.wait_red("table/fact_inventory:in_sync")
    until(lambda: world.headrace("apply", check=False).returncode == 0, 180, "the apply succeeds")
    world.headrace("reread", "inventory", "--yes")


# --- what several of them do


def _settle_letters(world: World) -> None:
    world.wait_red("job/ecom:complete", "headrace dead-letters")
    world.headrace("dead-letters", "replay", "all")


_NOBODY = "00000000-0000-4000-8000-000000000000"
_MANY_ORDERS = f"insert into orders (user_id, total, status) select '{_NOBODY}', n, 'PENDING' from generate_series(1, %s) n"


def _one(number: int) -> str:
    return f"00000000-0000-4000-8000-00000000000{number}"


def _forget_orders(world: World) -> None:
    """The shop is as large as before, whatever a fault has put into it."""

    def delete() -> None:
        with world.source() as source:
            source.execute("delete from orders where user_id = %s", [_NOBODY])

    world.call(delete)


@contextmanager
def _without_job(world: World, stream: str) -> Iterator[None]:
    """The stream's job is cancelled, and the sensor waits with submitting it again."""
    job, project = world.catalogue.by_id[f"job/{stream}"], world.catalogue.project
    with exclusive(world.environment.analytics, project.name):
        world.catalogue.backend(job).delete(job.id)
        yield


def _write_unread_orders(world: World) -> None:
    before = sum(one.offset for one in world.ends("ecom"))
    with world.source() as source:
        source.execute(_MANY_ORDERS, [300])
    until(lambda: sum(one.offset for one in world.ends("ecom")) >= before + 300, 60, "the orders are in Kafka")


def _commit(world: World, stream: str, place: Callable[[int, int], int]) -> None:
    """Set the offsets of a stream's group, which nobody reads with just now."""
    group = f"{world.catalogue.project.name}.{stream}"
    consumer = Consumer({
        "bootstrap.servers": world.environment.kafka.bootstrap_servers, "group.id": group, "enable.auto.commit": False, "log_level": 0,
    })  # fmt: skip
    try:
        bounds = {(one.topic, one.partition): consumer.get_watermark_offsets(one, 10) for one in world.ends(stream)}
        wanted = [TopicPartition(*where, place(*found)) for where, found in bounds.items()]
        consumer.commit(offsets=wanted, asynchronous=False)
    finally:
        consumer.close()
