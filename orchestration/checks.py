"""Checks of a job that need more than the job: does the stream keep up, and does the source's pulse arrive.

They are checks of their own, so that an operator can evaluate them from the page; the sensors do so all the time.
"""

from collections.abc import Callable

import dagster as dg

from orchestration.assets import asset_key, health_result
from orchestration.catalogue import Catalogue
from orchestration.freshness import read_pulses
from project.resources import Health, Resource

JOB_CHECKS: dict[str, tuple[str, Callable[[Catalogue, Resource], Health]]] = {
    "lag": ("The stream keeps up with its topics, judged by the trend.", lambda catalogue, job: catalogue.lag.read(job.name)),
    "fresh": ("The source's pulse arrives in the analytics database.", read_pulses),
}


def build_job_checks(catalogue: Catalogue, job: Resource) -> list[dg.AssetChecksDefinition]:
    """The checks of one job beyond those of its apply."""
    return [_build(catalogue, job, name) for name in JOB_CHECKS]


def _build(catalogue: Catalogue, job: Resource, name: str) -> dg.AssetChecksDefinition:
    description, read = JOB_CHECKS[name]

    @dg.asset_check(asset=asset_key(catalogue.project, job.id), name=name, description=description)
    def evaluate(catalogue: dg.ResourceParam[Catalogue]) -> dg.AssetCheckResult:
        return health_result(name, read(catalogue, job))

    return evaluate
