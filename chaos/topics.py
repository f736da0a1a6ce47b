"""What happens to topics, and to where a stream stands in them."""

from random import Random

from chaos.fault import LOUD, UNHARMED, fault
from chaos.steps import ORDERS, forget_orders, heal_orders, letter_places, set_offsets, settle_letters, without_job, write_unread_orders
from chaos.world import World


@fault("F31", UNHARMED)
def read_again_what_was_read(world: World, rng: Random) -> None:
    """The job is cancelled and its offsets are set back by up to 10,000 records: what had been set aside among them waits again."""
    with without_job(world, "ecom"):
        unread = set_offsets(world, "ecom", lambda first, end: max(end - rng.randint(1000, 10_000), first))
    if any(place in unread and offset >= unread[place] for place, offset in letter_places(world)):
        settle_letters(world)


@fault("F47", LOUD)
def pass_over_records(world: World, rng: Random) -> None:
    """Someone sets the offsets of the stream to the end of its topics while rows wait there: the comparison finds what is missing."""
    with without_job(world, "ecom"):
        write_unread_orders(world)
        set_offsets(world, "ecom", lambda first, end: end)
    world.wait_red("table/fact_orders:equal", "rows differ")
    heal_orders(world)
    world.headrace("verify", "--heal", "fact_order_items", "dim_books")
    forget_orders(world)


@fault("F34", LOUD)
def expire_unread_records(world: World, rng: Random) -> None:
    """Retention removes records that the stream has not read, while its job is down."""
    with without_job(world, "ecom"):
        write_unread_orders(world)
        for future in world.kafka.delete_records([one for one in world.ends("ecom") if one.topic == ORDERS]).values():
            future.result(30)
    world.wait_red("job/ecom:running", "headrace reread")
    world.headrace("reread", "ecom", "--yes")
    forget_orders(world)


@fault("F46", LOUD)
def delete_a_topic(world: World, rng: Random) -> None:
    """A captured table's topic is deleted."""
    for future in world.kafka.delete_topics([ORDERS]).values():
        future.result(30)
    world.wait_red(f"topic/{ORDERS}:available")
    world.headrace("apply", f"topic/{ORDERS}")
    world.headrace("reread", "ecom", "--yes")


@fault("F16", LOUD)
def poison_a_topic(world: World, rng: Random) -> None:
    """Someone writes records to a topic that are no change of any row; the streams go on behind them."""
    for poison in rng.sample((b"{not json", b"\xff\xfe\x00", b'{"op": "x"}', b'{"op": "c", "after": [1]}', b"[" * 2000), 3):
        world.produce(ORDERS, poison)
    settle_letters(world)
    assert "job/inventory:running" not in world.graph.not_green()
