"""What several faults do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import yaml

from chaos.outbox import Event, some_event
from chaos.world import World
from e2e.waiting import until
from flink.offsets import advance
from infra import supervision
from orchestration.dead_letters import letters, place_of
from orchestration.exclusive import exclusive

NOBODY = "00000000-0000-4000-8000-000000000000"
ORDERS = "ecom-connector.public.orders"  # the topic
MANY_ORDERS = f"insert into orders (user_id, total, status) select '{NOBODY}', n, 'PENDING' from generate_series(1, %s) n"


def settle_letters(world: World) -> None:
    world.wait_red("job/ecom:complete", "headrace dead-letters")
    world.headrace("dead-letters", "replay", "all")


def letter_places(world: World) -> Iterator[tuple[tuple[str, int], int]]:
    """Topic and partition, and offset, of every record that was ever set aside."""
    for letter in letters(world.catalogue, settled=True):
        topic, partition, offset = place_of(letter)
        yield (topic, partition), offset


def numbered(number: int) -> str:
    return f"00000000-0000-4000-8000-00000000000{number}"


def forget_orders(world: World) -> None:
    """The shop is as large as before, whatever a fault has put into it."""

    def delete() -> None:
        with world.source() as source:
            source.execute("delete from orders where user_id = %s", [NOBODY])

    world.call(delete)


@contextmanager
def without_job(world: World, stream: str) -> Iterator[None]:
    """The stream's job is cancelled, and the sensor waits with submitting it again."""
    job, project = world.catalogue.by_id[f"job/{stream}"], world.catalogue.project
    with exclusive(world.environment.analytics, project.name):
        world.catalogue.backend(job).delete(job.id)
        yield


def write_unread_orders(world: World) -> None:
    before = sum(one.offset for one in world.ends("ecom"))
    with world.source() as source:
        source.execute(MANY_ORDERS, [300])
    until(lambda: sum(one.offset for one in world.ends("ecom")) >= before + 300, 60, "the orders are in Kafka")


def set_offsets(world: World, stream: str, place: Callable[[int, int], int]) -> dict[tuple[str, int], int]:
    """Set the offsets of a stream's group, which nobody reads with just now, by the first offset and the end of each partition."""
    wanted = {partition: place(lag.first, lag.observation.end) for partition, lag in world.catalogue.lag.lags(stream).items()}
    advance(world.environment.kafka, f"{world.catalogue.project.name}.{stream}", wanted)
    return wanted


def heal_orders(world: World, seconds: float = 180) -> None:
    """What the check of a table that differs says to do."""
    until(lambda: world.headrace("verify", "--heal", "fact_orders", check=False).returncode == 0, seconds, "the rows are healed")


def reread(world: World, source: str) -> None:
    """A connector says that changes are missing, and is given the command that it names."""
    read = world.captured[source]
    world.wait_red(f"connector/{read.connector}:running", "headrace reread")
    world.headrace("reread", source, "--yes", "-p", str(read.folder))


def resume_and_reread(world: World) -> None:
    world.connector("resume")
    reread(world, "ecom")
    forget_orders(world)


@contextmanager
def down(world: World, component: str) -> Iterator[None]:
    """A database does not run within the block, and answers behind it."""
    supervision.stop(world.platform, [component])
    try:
        yield
    finally:
        supervision.start(world.platform, component)
    world.call(lambda: world.source().close())


def tell(world: World, *events: Event) -> None:
    with world.source("events") as outbox:
        world.outbox.tell(outbox, *events)


def some_events(rng: Random, count: int) -> list[Event]:
    return [some_event(rng) for _ in range(count)]


def change_a_filter(world: World) -> None:
    """In the dealership's folder: the loan desk does without the payments in every second version."""
    assert world.dealership
    file = world.dealership / "streams" / "routing.yaml"
    stream = yaml.safe_load(file.read_text())
    [loans] = [one for one in stream["filters"] if one["id"] == "loan-events-filter"]
    loans["version"] = loans.get("version", 1) + 1
    for condition, values in zip(loans["conditions"], (["LoanCreated", "LoanPaymentSubmitted"], ["Loan", "LoanPayment"]), strict=True):
        condition["values"] = values[: 1 + loans["version"] % 2]
    file.write_text(yaml.safe_dump(stream, sort_keys=False))


def settle_events(world: World, count: int) -> list[bytes]:
    """The check says that so many events wait as cannot be judged, none of which will ever be one; their bytes."""
    cars = world.cars  # loaded once, not at each look

    def waiting() -> list[bytes]:
        return [bytes(letter["record_value"]) for letter in letters(cars)]

    world.wait_red("job/routing:complete", "headrace dead-letters")
    until(lambda: len(waiting()) == count, 120, f"{count} events are set aside")
    found = waiting()
    world.of_cars("dead-letters", "discard", "all", "--yes")
    return found
