"""A short selection of `make chaos` by a fixed seed: something breaks while customers trade, and every promise is looked at."""

from random import Random

import pytest

from chaos.faults import FAULTS
from chaos.judging import broken_promises
from chaos.world import World
from infra.platform import Platform

_SEED = 37
_QUICK = [name for name, fault in FAULTS.items() if fault.quick]


@pytest.mark.parametrize("name", Random(_SEED).sample(_QUICK, 2))
def test_a_fault_breaks_no_promise(name: str, platform: Platform):
    assert broken_promises(World(platform), FAULTS[name], Random(_SEED))[1] == []
