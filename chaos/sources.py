"""What happens in a source, or to what reads it."""

import time
from random import Random

from chaos.fault import ALONE, LOUD, UNHARMED, fault
from chaos.steps import MANY_ORDERS, NOBODY, forget_orders, heal_orders, numbered, resume_and_reread, settle_letters
from chaos.world import World
from e2e.waiting import until


@fault("F11", LOUD)
def drop_the_slot(world: World, rng: Random) -> None:
    """The replication slot is dropped while the connector is stopped, rows change, and the connector starts."""
    world.connector("stop")
    world.slot_is_free()
    with world.source() as source:
        source.execute("select pg_drop_replication_slot('headrace_bookstore_ecom')")
        source.execute(MANY_ORDERS, [100])
    resume_and_reread(world)


@fault("F12", LOUD)
def give_the_slot_up(world: World, rng: Random) -> None:
    """While the connector is stopped the source writes more WAL than it may keep, so PostgreSQL invalidates the slot."""
    world.connector("stop")
    world.slot_is_free()
    with world.source() as source:
        source.execute("alter system set max_slot_wal_keep_size = '1MB'")
        source.execute("select pg_reload_conf()")
        source.execute(MANY_ORDERS, [50_000])
        for _ in range(3):
            source.execute("select pg_switch_wal()")
            source.execute("checkpoint")
        query = "select slot_name from pg_replication_slots where wal_status = 'lost'"
        until(lambda: ("headrace_bookstore_ecom",) in source.execute(query).fetchall(), 60, "the slot is lost")
        source.execute("alter system reset max_slot_wal_keep_size")
        source.execute("select pg_reload_conf()")
        others = {name for (name,) in source.execute(query).fetchall()} - {"headrace_bookstore_ecom"}
    resume_and_reread(world)
    if others:  # the server keeps as little for the other source, whose connector may have been behind by as much
        world.wait_red("connector/inventory-connector:running", "headrace reread")
        world.headrace("reread", "inventory", "--yes")


@fault("F15", LOUD)
def leave_the_publication(world: World, rng: Random) -> None:
    """A table is taken out of the publication, and its rows change."""
    with world.source() as source:
        source.execute("alter publication headrace_bookstore_ecom drop table orders")
        source.execute(MANY_ORDERS, [100])
        world.wait_red("capture/ecom:in_sync")
    world.headrace("apply", "capture/ecom")
    heal_orders(world, 120)
    forget_orders(world)


@fault("F35", ALONE)
def refuse_the_login(world: World, rng: Random) -> None:
    """The capture role may not log in for a while, and its session is ended."""
    with world.source() as source:
        source.execute("alter role headrace_capture nologin")
        source.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'headrace_capture'")
        time.sleep(rng.uniform(20, 40))
        source.execute("alter role headrace_capture login")


@fault("F20", "red, and the stream stands still before NULLs spread; goes on with the column")
def rename_a_column(world: World, rng: Random) -> None:
    """A captured column is renamed while rows change, and gets its name back when its stream stands still."""
    job, check = world.catalogue.by_id["job/ecom"], "capture/ecom:ready"
    with world.source() as source:
        source.execute("alter table orders rename created_at to placed_at")
        try:
            world.wait_red(check, "orders.created_at does not exist")
            until(lambda: world.catalogue.backend(job).read(job) is None, 60, "the stream stands still")
            source.execute(MANY_ORDERS, [100])
        finally:
            source.execute("alter table orders rename placed_at to created_at")
    forget_orders(world)


@fault("F22", LOUD)
def truncate_a_table(world: World, rng: Random) -> None:
    """A captured table is truncated, which a mirror does not repeat by itself; its stream goes on behind that."""
    with world.source() as source:
        source.execute("truncate order_items")
    settle_letters(world)


@fault("F23", UNHARMED)
def change_keys(world: World, rng: Random) -> None:
    """Primary keys change, two of them swap within a transaction, and a megabyte of text goes along unchanged."""
    with world.source() as source:
        long = "insert into books (id, title, author, description) values (%s, 'One', 'Nobody', repeat('é…', 300000))"
        source.execute(long, [numbered(1)])
        source.execute("insert into books (id, title, author) values (%s, 'Two', 'Nobody')", [numbered(2)])
        with source.transaction():
            for old, new in ((1, 3), (2, 1), (3, 2)):
                source.execute("update books set id = %s where id = %s", [numbered(new), numbered(old)])
        source.execute("update books set title = 'Three' where id = %s", [numbered(2)])
        for number in range(rng.randint(50, 150)):
            source.execute("delete from books where id = %s", [numbered(1)])
            source.execute("insert into books (id, title, author) values (%s, %s, 'Nobody')", [numbered(1), f"flip {number}"])
        source.execute("delete from books where author = 'Nobody'")


@fault("F24", UNHARMED)
def change_many_at_once(world: World, rng: Random) -> None:
    """A transaction inserts 200,000 rows, one updates them all, one deletes them."""
    with world.source() as source:
        source.execute(MANY_ORDERS, [200_000])
        source.execute("update orders set total = total + 1 where user_id = %s", [NOBODY])
        source.execute("delete from orders where user_id = %s", [NOBODY])


@fault("F33", UNHARMED)
def keep_a_transaction_open(world: World, rng: Random) -> None:
    """A transaction that changed rows stays open for 30 s while Kafka Connect is restarted, commits or rolls back."""
    with world.source() as source, source.transaction(force_rollback=rng.random() < 0.5):
        source.execute(MANY_ORDERS, [1000])
        world.kill("connect")
        time.sleep(30)
    forget_orders(world)
