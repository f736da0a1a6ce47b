"""Checks that need more than what was applied: does a stream keep up, does its source's pulse arrive, are its tables the source's.

They are checks of their own, so that an operator can evaluate them from the page; the sensors evaluate those of a job all the time.
"""

from collections.abc import Callable

import dagster as dg

from orchestration.assets import asset_key, health_result
from orchestration.catalogue import Catalogue
from orchestration.freshness import read_pulses
from orchestration.verifying import verify
from project.resources import Health, Refused, Resource, State

EQUAL = "equal"
JOB_CHECKS: dict[str, tuple[str, Callable[[Catalogue, Resource], Health]]] = {
    "lag": ("The stream keeps up with its topics, judged by the trend.", lambda catalogue, job: catalogue.lag.read(job.name)),
    "fresh": ("The source's pulse arrives in the analytics database.", read_pulses),
}


def build_job_checks(catalogue: Catalogue, job: Resource) -> list[dg.AssetChecksDefinition]:
    """The checks of one job beyond those of its apply."""
    return [_build(catalogue, job, name) for name in JOB_CHECKS]


def look_equal(catalogue: Catalogue, table: str) -> Health:
    """Compare a table with its source now."""
    try:
        return verify(catalogue, table).health()
    except Refused as error:
        return Health(State.UNKNOWN, str(error))


def build_equal_check(catalogue: Catalogue, table: str) -> dg.AssetChecksDefinition:
    """Whether a table is the same as its source, row by row."""
    stream, _ = catalogue.project.target_tables[table]

    @dg.asset_check(
        asset=asset_key(catalogue.project, f"table/{table}"), name=EQUAL,
        additional_deps=[asset_key(catalogue.project, f"job/{stream.name}")],
        description="Every row is the same as in the source, as of a position in its log.",
    )  # fmt: skip
    def evaluate(catalogue: dg.ResourceParam[Catalogue]) -> dg.AssetCheckResult:
        return health_result(EQUAL, look_equal(catalogue, table))

    return evaluate


def _build(catalogue: Catalogue, job: Resource, name: str) -> dg.AssetChecksDefinition:
    description, read = JOB_CHECKS[name]

    @dg.asset_check(asset=asset_key(catalogue.project, job.id), name=name, description=description)
    def evaluate(catalogue: dg.ResourceParam[Catalogue]) -> dg.AssetCheckResult:
        return health_result(name, read(catalogue, job))

    return evaluate
