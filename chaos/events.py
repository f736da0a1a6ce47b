"""What happens on the way of events: to filters, topics, consumers, and to what takes events over HTTP."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random

import requests

from chaos.fault import ALONE, EVENTS, LOUD, fault
from chaos.outbox import Event, some_event
from chaos.steps import change_a_filter, settle_events, some_events, tell
from chaos.world import World
from consumers.loop import SESSION
from e2e.command import consuming
from e2e.waiting import until
from infra import projects

_POISON = (b"{not json", b"\xff\xfe\x00", b"", b"[]", b'"text"', b'{"eventHeader": {}}', b'{"filterMetadata": 1, "a": 2}', b"[" * 2000)


@fault("F42", ALONE, EVENTS)
def kill_taskmanager_in_a_change(world: World, rng: Random) -> None:
    """A filter is changed three times, and the TaskManager is killed amid each change; an apply that it was in the way of is repeated."""
    for _ in range(3):
        change_a_filter(world)
        applying = threading.Thread(target=world.of_cars, args=["apply", "job/routing"], kwargs={"check": False})
        applying.start()
        time.sleep(rng.uniform(2, 12))  # the command takes its time to begin
        world.kill("flink-taskmanager")
        applying.join()
        until(lambda: world.of_cars("apply", "job/routing", check=False).returncode == 0, 180, "the apply succeeds")


@fault("F02", ALONE, EVENTS)
def kill_jobmanager_behind_a_change(world: World, rng: Random) -> None:
    """A filter is changed, and the JobManager is killed soon after that: the newest filters go on, and no others."""
    change_a_filter(world)
    world.of_cars("apply", "job/routing")
    time.sleep(rng.uniform(0, 10))
    world.kill("flink-jobmanager")


@fault("F46", LOUD, EVENTS)
def delete_a_topic_of_consumers(world: World, rng: Random) -> None:
    """A consumer's topic is deleted under the running job: what it held is told as lost, what comes later is written to a new one."""
    topic = world.cars.project.filtered_topic("filtered-loan-events")
    with world.outbox.still():
        time.sleep(10)  # until what it holds is with its consumer
        for future in world.kafka.delete_topics([topic]).values():
            future.result(30)
        world.outbox.forget()
    world.wait_red(f"topic/{topic}:available", "apply")
    world.of_cars("apply")
    account = world.of_cars("dead-letters", "account", check=False)
    assert account.returncode == 1 and f"it is not in {topic}" in account.stdout, "what the topic held is told"
    change_a_filter(world)  # what came before is judged no more
    world.of_cars("apply", "job/routing")


@fault("F16", LOUD, EVENTS)
def poison_the_raw_topic(world: World, rng: Random) -> None:
    """Someone writes records to the topic of raw events that are no events: each waits as a dead letter, and the others go on."""
    [raw] = world.cars.project.sources["events"].topics(())
    for poison in _POISON:
        world.produce(raw, poison)
    assert sorted(settle_events(world, len(_POISON))) == sorted(_POISON), "they are set aside byte by byte"


@fault("F17", LOUD, EVENTS)
def tell_much_that_is_no_event(world: World, rng: Random) -> None:
    """Three in ten of 3,000 events have no name, so that no filter can judge them: they wait as dead letters, and the others go on."""
    events = [_nameless(one) if number % 10 < 3 else one for number, one in enumerate(some_events(rng, 3000))]
    tell(world, *events)
    settle_events(world, 900)
    with world.source("events") as outbox:  # or whoever reads the outbox again later has them wait once more
        outbox.execute("delete from business_events where not event->'eventHeader' ? 'eventName'")


def _nameless(one: Event) -> Event:
    return replace(one, body={**one.body, "eventHeader": {"uuid": one.uuid}})


@fault("F07", ALONE, EVENTS)
def kill_the_consumers_database(world: World, rng: Random) -> None:
    """The analytics PostgreSQL is killed while consumers write 5,000 events into it."""
    tell(world, *some_events(rng, 5000))
    time.sleep(rng.uniform(0, 2))
    world.kill("postgres-analytics")


@fault("–", ALONE, EVENTS)
def kill_a_consumer(world: World, rng: Random) -> None:
    """A consumer is killed amid 1,000 events."""
    tell(world, *some_events(rng, 1000))
    world.kill(f"consumer-cars-{rng.choice(list(world.cars.project.consumers))}")


@fault("–", ALONE, EVENTS)
def pause_a_consumer(world: World, rng: Random) -> None:
    """A consumer stands still until Kafka takes it for dead and a second one has its topics; then it goes on beside that one."""
    assert world.dealership
    name = rng.choice(list(world.cars.project.consumers))
    with consuming(world.platform, world.dealership, name):
        time.sleep(10)  # until they share the topics
        world.pause(f"consumer-cars-{name}", SESSION + 15)
        tell(world, *some_events(rng, 1000))
        time.sleep(5)


@fault("F43", ALONE, EVENTS)
def kill_the_ingestion(world: World, rng: Random) -> None:
    """What takes events over HTTP is killed three times; a program sends each of its events again until it is answered."""
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(_send, world, [some_event(rng, "CarCreated", f"sent-{number % 7}") for number in range(500)])
        for _ in range(3):
            time.sleep(rng.uniform(0, 2))
            world.kill("ingestion-cars")
        sending.result()


def _send(world: World, events: list[Event]) -> None:
    [cars] = [one for one in projects.read(world.platform) if one.name == "cars"]
    url = f"http://127.0.0.1:{cars.ingestion_port(world.platform)}/api/v1/events"
    for one in events:
        until(lambda one=one: _answer(url, one) == requests.codes.ok, 120, f"{one} is taken")
        world.outbox.note([one])
        time.sleep(0.01)


def _answer(url: str, one: Event) -> int | None:
    try:
        return requests.post(url, json=one.body, timeout=10).status_code
    except requests.RequestException:
        return None
