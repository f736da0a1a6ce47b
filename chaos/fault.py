"""A fault: what is done, what is promised, and the list of all."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from chaos.world import World

ALONE = "comes back by itself; nothing is lost"
LOUD = "red before anyone is misled; equal after the command that the check names"
UNHARMED = "goes on; nothing is lost"
LINKS, DISKS, EVENTS = "links", "disks", "events"
ONE, SEVERAL = 30, 90  # seconds within which a killed process, or several at once, are to be back


Act = Callable[[World, Random], None]


@dataclass(frozen=True)
class Fault:
    name: str
    number: str  # in the list of faults that the product answers for
    promise: str
    act: Act
    needs: str  # what only the platform that `make chaos` makes has: its links, its small disks, its second project; "" for nothing
    within: int | None  # seconds of recovery that are promised

    @property
    def quick(self) -> bool:
        """Any platform has what it needs, and nobody has to see it first: it is over within a minute or two."""
        return not self.needs and self.promise != LOUD

    @property
    def does(self) -> str:
        """What is done, in words."""
        return " ".join((self.act.__doc__ or "").split())


FAULTS: dict[str, Fault] = {}


def fault(number: str, promise: str, needs: str = "", within: int | None = None) -> Callable[[Act], Act]:
    def register(act: Act) -> Act:
        name = act.__name__.replace("_", "-")
        FAULTS[name] = Fault(name, number, promise, act, needs, within)
        return act

    return register
