"""How long the platform takes and how much memory it holds: clone, up with empty and with warm cache, restart, plan, apply.

    python -m bench.starts [--empty-cache]

Prints a Markdown table. Wall-clock figures of one run on this machine; run it on an idle one.
"""

import argparse
import json
import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PORT_BASE = "26000"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--empty-cache", action="store_true", help="also with an empty download cache")
    empty_cache = options.parse_args().empty_cache
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as folder:
        Path(folder).chmod(0o755)
        if empty_cache:
            with clone(Path(folder) / "cold") as run:
                rows.append(("fresh clone, empty cache → live dashboards", seconds(run, "up", XDG_CACHE_HOME=str(Path(folder) / "cache"))))
        with clone(Path(folder) / "warm") as run:
            rows.append(("fresh clone, warm cache → live dashboards", seconds(run, "up")))
            rows.append(("`up` on a running platform", seconds(run, "up")))
            rows.append(("apply without changes", seconds(run, "apply")))
            rows.append(("plan", seconds(run, "plan")))
            rows.append(("resident memory of the whole platform", f"{memory(run):.2f} GB"))
            rows.append(("down", seconds(run, "down")))
            rows.append(("restart", seconds(run, "up")))
    print(f"\n{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}\n")
    print("| | measured |\n|---|---|")
    for name, value in rows:
        print(f"| {name} | {value} |")


class Run:
    """The command line in one clone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, **variables: str) -> str:
        environment = {**os.environ, "HEADRACE_PORT_BASE": PORT_BASE, **variables}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return subprocess.run(
            ["./headrace", *arguments], cwd=self.folder, env=environment, check=True, text=True, stdout=subprocess.PIPE, timeout=1200
        ).stdout


@contextmanager
def clone(folder: Path) -> Iterator[Run]:
    """A fresh clone, taken down and erased afterwards."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    run = Run(folder)
    try:
        yield run
    finally:
        run("down", "--erase", "--yes")


def seconds(run: Run, *arguments: str, **variables: str) -> str:
    begun = time.monotonic()
    run(*arguments, **variables)
    return f"{time.monotonic() - begun:.1f} s"


def memory(run: Run) -> float:
    """GB resident, as `status` counts them."""
    return sum(component["rss"] or 0 for component in json.loads(run("status", "--json"))["components"]) / 1e9


if __name__ == "__main__":
    main()
