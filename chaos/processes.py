"""Processes die, or stand still."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random

import psutil

from chaos.fault import ALONE, ONE, SEVERAL, fault
from chaos.steps import MANY_ORDERS, NOBODY, forget_orders
from chaos.world import World
from e2e.waiting import until
from infra import supervision

_COMPONENTS = ("flink-taskmanager", "flink-jobmanager", "connect", "kafka", "postgres-source", "postgres-analytics")


@fault("F01", ALONE, within=ONE)
def kill_taskmanager(world: World, rng: Random) -> None:
    """The TaskManager is killed, up to three times."""
    for _ in range(rng.randint(1, 3)):
        world.kill("flink-taskmanager")
        time.sleep(rng.uniform(0, 5))


@fault("F02", ALONE, within=ONE)
def kill_jobmanager(world: World, rng: Random) -> None:
    """The JobManager is killed, and with it every job."""
    world.kill("flink-jobmanager")


@fault("F03", ALONE, within=ONE)
def kill_connect_in_a_transaction(world: World, rng: Random) -> None:
    """Kafka Connect is killed while it reads a transaction of 50,000 rows, with short ones beside it and a long one open."""
    with world.source() as long, long.transaction():
        long.execute("update books set description = coalesce(description, '') || ' (checked)'")
        with world.source() as source:
            source.execute(MANY_ORDERS, [50_000])
        time.sleep(rng.uniform(0, 2))
        world.kill("connect")
    forget_orders(world)


@fault("F04", ALONE, within=ONE)
def kill_connect_in_a_copy(world: World, rng: Random) -> None:
    """Kafka Connect is killed while 50,000 rows arrive by COPY."""
    with world.source() as source, source.cursor().copy("copy orders (user_id, total, status) from stdin") as rows:
        for number in range(50_000):
            rows.write_row([NOBODY, number, "PENDING"])
    time.sleep(rng.uniform(0, 2))
    world.kill("connect")
    forget_orders(world)


@fault("F03", ALONE, within=ONE)
def kill_connect_in_a_snapshot(world: World, rng: Random) -> None:
    """Kafka Connect is killed while it reads all tables of a source again."""
    world.headrace("reread", "ecom", "--yes")
    time.sleep(rng.uniform(0, 1))
    world.kill("connect")


@fault("F05", ALONE, within=ONE)
def kill_kafka(world: World, rng: Random) -> None:
    """The broker is killed."""
    world.kill("kafka")


@fault("F06", ALONE, within=ONE)
def kill_the_source(world: World, rng: Random) -> None:
    """The source's PostgreSQL is killed."""
    world.kill("postgres-source")


@fault("F07", ALONE, within=ONE)
def kill_the_analytics_database(world: World, rng: Random) -> None:
    """The analytics PostgreSQL is killed amid 20,000 changes."""
    with world.source() as source:
        source.execute(MANY_ORDERS, [20_000])
    world.kill("postgres-analytics")
    forget_orders(world)


@fault("F08", ALONE, within=SEVERAL)
def kill_everything(world: World, rng: Random) -> None:
    """All processes but the supervisor are killed at once, in any order."""
    components = list(world.pids())
    rng.shuffle(components)
    world.kill(*components)


@fault("F08", ALONE, within=SEVERAL)
def kill_two(world: World, rng: Random) -> None:
    """Two components are killed, the second while the first comes back."""
    for component in rng.sample(_COMPONENTS, 2):
        world.kill(component)


@fault("F08", "comes back with `up`; nothing is lost")
def kill_the_supervisor_first(world: World, rng: Random) -> None:
    """All processes are killed, the supervisor first; then `headrace up`. The machine runs on: without power is another thing."""
    supervisor = supervision.pid(world.platform)
    assert supervisor is not None
    for pid in (supervisor, *world.pids().values()):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            for one in [process, *(process.children(recursive=True) if pid != supervisor else [])]:
                one.kill()
    world.headrace("up")


@fault("F09", ALONE)
def pause_a_component(world: World, rng: Random) -> None:
    """A component stands still for 20 s without its connections being closed."""
    world.pause(rng.choice(_COMPONENTS), 20)


@fault("F39", ALONE)
def kill_dagster(world: World, rng: Random) -> None:
    """Dagster's processes are killed while an apply runs."""
    dagster = [name for name in world.pids() if name.startswith("dagster")]
    applying = threading.Thread(target=world.headrace, args=["apply"], kwargs={"check": False})
    applying.start()
    time.sleep(rng.uniform(0, 2))
    world.kill(*dagster)
    applying.join()


@fault("F38", ALONE)
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
    with ThreadPoolExecutor(2) as people:
        for applied in [people.submit(world.headrace, "apply") for _ in range(2)]:
            applied.result()
