"""Break a platform of its own by a seeded list of faults, and look at every promise after each.

    python -m chaos --seed 42 --minutes 20
    python -m chaos --only kill-kafka --only drop-the-slot

Brings the platform up beside others, with the bookstore, whose customers trade all the time, and the dealership of examples/cars, whose
programs tell of events. Prints what each fault did, adds the results to chaos/results.json and writes docs/faults.md of all of them.
Ends with 1 if a promise was broken.
"""

import argparse
import os
import random
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from chaos import disks
from chaos.fault import DISKS
from chaos.faults import FAULTS, Fault
from chaos.judging import broken_promises
from chaos.links import open_links
from chaos.report import Result, commit, remember, write_table
from chaos.world import World
from infra.platform import Platform

ROOT = Path(__file__).resolve().parent.parent
_PORT_BASE = 26000  # below the ports that Linux gives to outgoing connections


def main() -> int:
    options = _options()
    os.environ["HEADRACE_STATE"] = str(ROOT / ".headrace-chaos")
    os.environ["HEADRACE_PORT_BASE"] = str(_PORT_BASE)
    platform = Platform.of_checkout(ROOT)
    world = World(platform, open_links(platform), platform.state / "cars")
    print("bringing the platform up", flush=True)
    _bring_up(world)
    try:
        results = list(_run(world, options))
    finally:
        if not options.keep:
            world.headrace("down")
            disks.unmount(platform)
            world.headrace("down", "--erase", "--yes")
    broken = [result for result in results if result.problems]
    print(f"{len(results)} faults, {len(broken)} broken promises; seed {options.seed}")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.randrange(1000), help="decides what breaks and when")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--only", action="append", choices=list(FAULTS), help="this fault, once; can be repeated")
    parser.add_argument("--keep", action="store_true", help="leave the platform as it is, but for its links, which end with this command")
    return parser.parse_args()


def _bring_up(world: World) -> None:
    world.headrace("up")
    assert world.dealership
    if not world.dealership.exists():  # of its own, because its filters change
        shutil.copytree(ROOT / "examples" / "cars", world.dealership, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    world.up()
    if not disks.possible():
        print("without the faults of full disks: small ones are mounted only by root on Linux", flush=True)
    elif not disks.mounted(world.platform):
        world.headrace("down")
        disks.mount(world.platform)
        world.up()


def _run(world: World, options: argparse.Namespace) -> Iterator[Result]:
    rng, deadline = random.Random(options.seed), time.monotonic() + options.minutes * 60
    code = commit()  # what was loaded, whatever is committed meanwhile
    for fault in [FAULTS[name] for name in options.only] if options.only else _shuffled(rng):
        if not options.only and time.monotonic() > deadline:
            return
        result = _try(world, fault, options.seed, rng, code)
        if result.problems:
            _keep_logs(world, fault)
            _mend(world)
        yield result


def _mend(world: World) -> None:
    """What a fault left broken is not to be laid at the next one's door."""
    world.up(check=False)
    for one in world.captured.values():  # a stream that misses records goes on no sooner
        world.headrace("reread", one.source, "--yes", "-p", str(one.folder), check=False)
    world.up(check=False)
    world.headrace("verify", "--heal", check=False)


def _keep_logs(world: World, fault: Fault) -> None:
    """The platform is erased at the end, and with it all that could tell why."""
    kept = ROOT / ".headrace-chaos-broken" / f"{datetime.now():%Y%m%d-%H%M%S}-{fault.name}"
    shutil.copytree(world.platform.logs, kept)
    print(f"the logs are kept in {kept}", flush=True)


def _shuffled(rng: random.Random) -> Iterator[Fault]:
    """All faults that can be had here in any order, again and again."""
    had = [fault for fault in FAULTS.values() if fault.needs != DISKS or disks.possible()]
    while True:
        yield from rng.sample(had, len(had))


def _try(world: World, fault: Fault, seed: int, rng: random.Random, code: str | None) -> Result:
    print(f"{fault.name} …", end=" ", flush=True)
    seconds = None
    try:
        seconds, found = broken_promises(world, fault, rng)
        print(f"fresh {seconds:.1f} s after it; {'; '.join(found) or 'all promises kept'}", flush=True)
    except Exception as error:  # noqa: BLE001 - whatever went wrong is the result
        found = [f"{type(error).__name__}: {error}"]
        print(found[0], flush=True)
    result = Result(fault.name, seed, seconds, found, code)
    remember(result)
    write_table()
    return result


if __name__ == "__main__":
    sys.exit(main())
