"""What happens in a source, or to what reads it."""

import shutil
import time
from random import Random

from chaos.fault import ALONE, LOUD, UNHARMED, fault
from chaos.steps import MANY_ORDERS, NOBODY, down, forget_orders, heal_orders, numbered, reread, resume_and_reread, settle_letters
from chaos.world import World
from e2e.waiting import until

_STANDS_STILL = "red, and the stream stands still before NULLs spread; goes on with the column"
_TEXTS = ("", " ", "NULL", "\\N", "O'Hara \" `; --", "a\nb\r\n\tc\x01", "😀🏳️‍🌈", "e\u0301 é", "\u202eעברית", "{\"a\": [1]}")


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
        lost = {name for (name,) in source.execute(query).fetchall()}
    resume_and_reread(world)
    # The server keeps as little for the other sources, whose connectors may have been behind by as much.
    for other in (one.source for one in world.captured.values() if one.slot in lost and one.source != "ecom"):
        reread(world, other)


@fault("F13", LOUD)
def promote_a_standby(world: World, rng: Random) -> None:
    """The source's server gives way to a standby that is promoted: it has every row, a timeline of its own, and no slot."""
    data, settings = world.platform.postgres_data / "source", ("restore_command = 'false'", "hot_standby = off")
    with world.source() as source:
        for setting in settings:  # nobody is let in before it is promoted
            source.execute(f"alter system set {setting}".encode())
    with down(world, "postgres-source"):
        for one in world.captured.values():
            shutil.rmtree(data / "pg_replslot" / one.slot)
        (data / "recovery.signal").touch()
    with world.source() as source:
        for setting in settings:
            source.execute(f"alter system reset {setting.partition(' ')[0]}".encode())
    for name in world.captured:
        reread(world, name)


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


@fault("F20", _STANDS_STILL)
def rename_a_column(world: World, rng: Random) -> None:
    """A captured column is renamed while rows change, and gets its name back when its stream stands still."""
    with world.source() as source:
        source.execute("alter table orders rename created_at to placed_at")
        try:
            _wait_until_it_stands_still(world, "orders.created_at does not exist")
            source.execute(MANY_ORDERS, [100])
        finally:
            source.execute("alter table orders rename placed_at to created_at")
    forget_orders(world)


@fault("F19", _STANDS_STILL)
def drop_a_column(world: World, rng: Random) -> None:
    """A captured column is dropped while rows change, and comes back with what it held when its stream stands still."""
    with world.source() as source:
        source.execute("create table kept as select id, description from books")
        source.execute("alter table books drop column description")
        try:
            source.execute("update books set price = price + 1")
            _wait_until_it_stands_still(world, "books.description does not exist")
        finally:
            source.execute("alter table books add column description text")
            source.execute("update books set description = kept.description from kept where kept.id = books.id")
            source.execute("drop table kept")


def _wait_until_it_stands_still(world: World, saying: str) -> None:
    job = world.catalogue.by_id["job/ecom"]
    world.wait_red("capture/ecom:ready", saying)
    until(lambda: world.catalogue.backend(job).read(job) is None, 60, "the stream stands still")


@fault("F18", UNHARMED)
def add_a_column(world: World, rng: Random) -> None:
    """A captured table gets a column that no spec names, with a default, and loses it again, while its rows change."""
    with world.source() as source:
        source.execute("alter table orders add column gift_note text default 'none'")
        source.execute(MANY_ORDERS, [100])
        source.execute("update orders set gift_note = 'for you' where user_id = %s", [NOBODY])
        time.sleep(rng.uniform(0, 5))
        source.execute("alter table orders drop column gift_note")
    forget_orders(world)


@fault("F21", LOUD)
def widen_a_column(world: World, rng: Random) -> None:
    """A captured column takes larger numbers than the analytics table does, and one comes; the stream goes on behind the row."""
    with world.source() as source:
        source.execute("alter table orders alter column total type numeric(14, 2)")
        source.execute("insert into orders (user_id, total, status) values (%s, 98765432109.87, 'PENDING')", [NOBODY])
        world.wait_red("capture/ecom:ready", "numeric(14,2)")
        world.wait_red("job/ecom:complete", "headrace dead-letters")
        source.execute("update orders set total = 1 where user_id = %s", [NOBODY])
        source.execute("alter table orders alter column total type numeric(10, 2)")
    settle_letters(world)
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


@fault("F27", UNHARMED)
def write_texts_of_all_kinds(world: World, rng: Random) -> None:
    """Books have texts that are empty, blank or NULL, of any script, with quotes, breaks and control characters, and swap them."""
    with world.source() as source:
        for number, text in enumerate(_TEXTS):
            values = [numbered(number), text, text, rng.choice([None, *_TEXTS]), rng.choice([None, *_TEXTS])]
            source.execute("insert into books (id, title, author, description, genre) values (%s, %s, %s, %s, %s)", values)
        for number in range(len(_TEXTS)):
            source.execute("update books set title = author, author = %s where id = %s", [rng.choice(_TEXTS), numbered(number)])
        until(lambda: _certified(world), 120, "the books are equal with these texts")
        source.execute("delete from books where id = any(%s::uuid[])", [[numbered(number) for number in range(len(_TEXTS))]])


def _certified(world: World) -> bool:
    return world.headrace("verify", "dim_books", check=False).returncode == 0


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
