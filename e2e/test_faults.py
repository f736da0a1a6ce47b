"""A short selection of `make chaos`: something breaks while customers trade, and every promise is looked at.

The commit decides what breaks, so that in time everything does; HEADRACE_SEED repeats a selection, which the tests' names show.
"""

import os
from random import Random

import pytest

from chaos.faults import FAULTS
from chaos.judging import broken_promises
from chaos.report import commit
from chaos.world import World
from infra.platform import Platform

_SEED = os.environ.get("HEADRACE_SEED") or commit() or "37"


def selection(seed: str) -> list[str]:
    """One that is over soon, and another of any kind that this platform can have."""
    rng = Random(seed)
    quick = rng.choice([fault for fault in FAULTS.values() if fault.quick])
    return [quick.name, rng.choice([fault.name for fault in FAULTS.values() if not fault.needs and fault.number != quick.number])]


@pytest.mark.parametrize("name", [pytest.param(name, id=f"{name}-{_SEED}") for name in selection(_SEED)])
def test_a_fault_breaks_no_promise(name: str, platform: Platform):
    assert broken_promises(World(platform), FAULTS[name], Random(_SEED))[1] == []


def test_in_time_every_fault_is_selected():
    assert {name for seed in range(500) for name in selection(str(seed))} == {name for name, fault in FAULTS.items() if not fault.needs}
