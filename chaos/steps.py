"""What several faults do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chaos.world import World
from e2e.waiting import until
from flink.offsets import advance
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


def resume_and_reread(world: World) -> None:
    """The connector starts, says that changes are missing, and is given the command that it names."""
    world.connector("resume")
    world.wait_red("connector/ecom-connector:running", "headrace reread")
    world.headrace("reread", "ecom", "--yes")
    forget_orders(world)
