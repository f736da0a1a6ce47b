"""What someone does to the analytics database by hand."""

from random import Random

from chaos.fault import LOUD, fault
from chaos.steps import NOBODY, forget_orders, heal_orders, numbered
from chaos.world import World
from e2e.waiting import until


@fault("F36", LOUD)
def refuse_a_row(world: World, rng: Random) -> None:
    """Someone adds a constraint to an analytics table that a row violates; the stream goes on behind the row, which comes later."""
    with world.analytics() as analytics:
        analytics.execute("alter table fact_orders add constraint nothing_dear check (total < 100000) not valid")
        with world.source() as source:
            source.execute("insert into orders (user_id, total, status) values (%s, 500000, 'PENDING')", [NOBODY])
        world.wait_red("job/ecom:complete", "nothing_dear")
        analytics.execute("alter table fact_orders drop constraint nothing_dear")
    world.headrace("dead-letters", "replay", "all")
    forget_orders(world)


@fault("F37", LOUD)
def change_rows_by_hand(world: World, rng: Random) -> None:
    """Someone deletes, changes and adds rows of an analytics table: the comparison finds each, and they are healed."""
    with world.analytics() as analytics:
        analytics.execute("delete from fact_orders where id in (select id from fact_orders where status = 'DELIVERED' limit 3)")
        analytics.execute(
            "update fact_orders set total = total + 1 where id in (select id from fact_orders where status = 'DELIVERED' limit 3)"
        )
        analytics.execute("insert into fact_orders (id, user_id, total) values (%s, %s, 1)", [numbered(4), NOBODY])
    world.wait_red("table/fact_orders:equal", "rows differ")
    heal_orders(world)


@fault("F37", LOUD)
def drop_a_table(world: World, rng: Random) -> None:
    """Someone drops an analytics table with the views that read it."""
    with world.analytics() as analytics:
        analytics.execute("drop table fact_inventory cascade")
    world.wait_red("table/fact_inventory:in_sync")
    until(lambda: world.headrace("apply", check=False).returncode == 0, 180, "the apply succeeds")
