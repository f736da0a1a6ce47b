"""How much of a core an idle platform takes, by component, while the customers of its samples stand still.

    python -m bench.idle [--seconds 60]

Runs on the running embedded platform; run it on an idle machine, some minutes after a start: what was just started still
compiles, and takes more. Prints a Markdown table.
"""

import argparse
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bench.peers.cost import seconds_of, with_children
from infra import lifecycle
from orchestration.places import this_platform

_SETTLES = 10  # seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=60)
    seconds = options.parse_args().seconds
    roots = {one.name: psutil.Process(one.pid) for one in lifecycle.status(this_platform()) if one.pid is not None}
    with standing_still([root for name, root in roots.items() if name.startswith("sample")]):
        time.sleep(_SETTLES)
        before = {name: seconds_of(with_children(root)) for name, root in roots.items()}
        time.sleep(seconds)
        shares = {name: (seconds_of(with_children(root)) - before[name]) / seconds for name, root in roots.items()}
    print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}\n\n| at rest | of a core |\n|---|---|")
    for name, share in sorted(shares.items(), key=lambda item: -item[1]):
        print(f"| {name} | {share:.1%} |")
    print(f"| together | {sum(shares.values()):.1%} |")


@contextmanager
def standing_still(samples: list[psutil.Process]) -> Iterator[None]:
    """Nobody trades meanwhile."""
    for sample in samples:
        sample.suspend()
    try:
        yield
    finally:
        for sample in samples:
            sample.resume()


if __name__ == "__main__":
    main()
