"""A fault: what is done, what is promised, and the list of all."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from chaos.world import World

ALONE = "comes back by itself; nothing is lost"
LOUD = "red before anyone is misled; equal after the command that the check names"
UNHARMED = "goes on; nothing is lost"


@dataclass(frozen=True)
class Fault:
    name: str
    number: str  # in the list of faults that the product answers for
    promise: str
    act: Callable[[World, Random], None]

    @property
    def quick(self) -> bool:
        """Nobody has to see it first, so it is over within a minute or two."""
        return self.promise != LOUD

    @property
    def does(self) -> str:
        """What is done, in words."""
        return " ".join((self.act.__doc__ or "").split())


FAULTS: dict[str, Fault] = {}


def fault(number: str, promise: str) -> Callable[[Callable[[World, Random], None]], Callable[[World, Random], None]]:
    def register(act: Callable[[World, Random], None]) -> Callable[[World, Random], None]:
        name = act.__name__.replace("_", "-")
        FAULTS[name] = Fault(name, number, promise, act)
        return act

    return register
