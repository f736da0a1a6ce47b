"""What happens between the components."""

import time
from random import Random

from chaos.fault import ALONE, LINKS, fault
from chaos.world import World


@fault("F09", ALONE, LINKS)
def cut_a_link(world: World, rng: Random) -> None:
    """All connections to a database or to Kafka break, and none is taken for 5 s or for a minute."""
    link = rng.choice(world.links)
    link.cut()
    time.sleep(rng.choice((5, 60)))
    link.mend()


@fault("F09", ALONE, LINKS)
def stall_a_link(world: World, rng: Random) -> None:
    """No byte passes from or to a database or Kafka for 90 s, and no connection is closed."""
    link = rng.choice(world.links)
    link.stall()
    time.sleep(90)
    link.mend()


@fault("F09", ALONE, LINKS)
def slow_links_down(world: World, rng: Random) -> None:
    """For a minute every piece of data takes 50 to 200 ms longer from and to both databases and Kafka."""
    for link in world.links:
        link.slow_down(rng.uniform(0.05, 0.2))
    time.sleep(60)
    for link in world.links:
        link.mend()
