"""The dealership of examples/cars under a name, and in a database, of its own, with as many filters as are wanted."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import yaml

from bench.peers.cost import seconds_of, with_children
from e2e.command import run, run_sample
from e2e.conftest import ROOT, connect
from e2e.shops import Shop
from infra import lifecycle
from orchestration.catalogue import Catalogue
from orchestration.places import environment_file, this_platform
from project.environment import read_environment

NAME, DATABASE, FIRST = "bench-events", "bench_events", "all"
RAW, OUT = f"{NAME}-events.raw-business-events", f"{NAME}.events.{FIRST}"  # topics that every event comes to
_TOPICS = 3  # of all filters but the first
_SECONDS = 600  # for a load with all that has to come of it
# Of each kind of event an amount, and what few exceed. The first filter passes all events, each other one about every fiftieth of a kind.
_KINDS = (
    ("CarCreated", "totalBalance", 39_000), ("LoanCreated", "loan.loanAmount", 88_000),
    ("LoanPaymentSubmitted", "loanPayment.amount", 1_180), ("CarServiceDone", "service.amountPaid", 460),
)  # fmt: skip


def filters(count: int, version: int = 1) -> list[dict[str, Any]]:
    """So many, as a stream's file has them; the first one in a version."""
    every = {"field": "eventName", "operator": "in", "values": [kind for kind, _, _ in _KINDS]}
    others = (_filter(f"filter-{number}", f"few-{number % _TOPICS}", _few(number)) for number in range(1, count))
    return [{**_filter(FIRST, FIRST, [every]), "version": version}, *others]


def _few(number: int) -> list[dict[str, Any]]:
    kind, path, least = _KINDS[number % len(_KINDS)]
    return [
        {"field": "eventName", "operator": "equals", "value": kind},
        {"field": f"updatedAttributes.{path}", "operator": "greaterThan", "value": least + number / 10},
    ]


def _filter(name: str, topic: str, conditions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": name, "name": name, "consumerId": "bench", "outputTopic": topic, "enabled": True, "conditions": conditions}


class Dealership(Shop):
    """Applied, and at rest until someone writes. Dagster knows nothing of it, so nobody heals what is broken on purpose."""

    def declare_so_many(self, count: int, version: int = 1) -> Catalogue:
        """Write so many filters, the first one in a version; what they compile to."""
        stream = {"kind": "filters", "source": "events", "filters": filters(count, version)}
        (self.folder / "streams" / "routing.yaml").write_text(yaml.safe_dump(stream, sort_keys=False))
        return self.catalogue()

    def load(self, *options: str) -> dict[str, Any]:
        """What `headrace load` found, whether it reached what it was asked for or not."""
        done = run(this_platform(), "load", "-p", str(self.folder), *options, "--json", seconds=_SECONDS, check=False)
        if not done.stdout:
            raise SystemExit(done.stderr)
        [found] = json.loads(done.stdout)["loads"]
        return found

    def cpu_seconds(self, program: str) -> float:
        """What a program of the platform has used so far."""
        return seconds_of(with_children(_process(program)))


@cache
def _process(program: str) -> psutil.Process:
    """Found once: asking the supervisor takes a while, in which what is measured goes on."""
    [pid] = [one.pid for one in lifecycle.status(this_platform()) if one.name == program]
    return psutil.Process(pid)


@contextmanager
def opened(count: int) -> Iterator[Dealership]:
    """A dealership with so many filters; all that was made of it is removed at the end."""
    os.environ["PYTHONPATH"] = str(ROOT)  # its sample lies outside of the checkout
    environment = read_environment(environment_file())
    server, target = environment.source("events"), environment.analytics
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / NAME
        # Without those who receive: what is measured ends with a consumer of the bench's own.
        left_out = shutil.ignore_patterns("__pycache__", "tests", "consumers", "views", "dashboards")
        shutil.copytree(ROOT / "examples" / "cars", folder, ignore=left_out)
        _rename(folder / "project.yaml", name=NAME)
        _rename(folder / "sources" / "events.yaml", database=DATABASE)
        run_sample(this_platform(), folder, "prepare")
        with (
            connect(server.host, server.port, "postgres", server.admin) as admin,
            connect(target.host, target.port, str(target.database), target.admin) as analytics,
        ):
            try:
                with connect(server.host, server.port, DATABASE, server.admin) as source:
                    found = Dealership(NAME, folder, environment, source, analytics)
                    found.declare_so_many(count)
                    try:
                        found.apply()
                        yield found
                    finally:
                        found.prune()
            finally:
                admin.execute(f"drop database {DATABASE} with (force)".encode())


def _rename(file: Path, **keys: str) -> None:
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | keys, sort_keys=False))
