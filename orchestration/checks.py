"""Checks that need more than what was applied: does a stream keep up, does its source's pulse arrive, are its tables the source's,
are the numbers of a view what they must be.

They are checks of their own, so that an operator can evaluate them from the page; the sensors evaluate them all the time.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import dagster as dg

from analytics_sql.backends import AnalyticsBackend
from cdc.backends import KafkaBackend, PostgresBackend
from cdc.risks import Risk
from orchestration.assets import asset_key, health_result, sync_health
from orchestration.catalogue import Catalogue
from orchestration.certificates import EQUAL
from orchestration.consumer_counts import read_receiving
from orchestration.dead_letters import read_waiting
from orchestration.filter_counts import MATCHES, read_counts
from orchestration.freshness import read_pulses
from orchestration.reconcile import plan
from orchestration.verifying import verify
from project.filters.models import Filter
from project.models import Stream
from project.resources import Backend, Health, Refused, Resource, State

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LiveCheck:
    """A check beside those of an apply, on every resource of some kinds that it applies to."""

    kinds: tuple[str, ...]
    description: str
    read: Callable[[Catalogue, Resource], Health]
    interval: int = 20  # seconds between two looks of the sensor
    applies: Callable[[Catalogue, Resource], bool] = lambda catalogue, resource: True

    def watched(self, catalogue: Catalogue) -> tuple[Resource, ...]:
        """What it is about."""
        return tuple(resource for kind in self.kinds for resource in catalogue.of_kind(kind) if self.applies(catalogue, resource))


def read_risks(catalogue: Catalogue, capture: Resource) -> Health:
    """Settings of a source and of Kafka under which changes can be lost."""
    source, kafka = catalogue.backend(capture), catalogue.backends["kafka"]
    assert isinstance(source, PostgresBackend) and isinstance(kafka, KafkaBackend)
    risks, untold = list[Risk](), list[str]()
    for ask in (partial(source.risks, capture), kafka.risks):
        try:
            risks += ask()
        except Refused as error:
            untold.append(str(error))
    if risks:
        return Health(State.WARNING, "\n".join([*map(str, risks), *untold]), {"rules": ", ".join(risk.rule for risk in risks)})
    if untold:
        return Health(State.UNKNOWN, "\n".join(untold))
    return Health(State.PASSED, f"an outage of {catalogue.environment.longest_outage_hours} h loses nothing")


def read_expected(catalogue: Catalogue, view: Resource) -> Health:
    """Whether the numbers of a view are within the bounds that its metrics declare."""
    analytics = catalogue.backend(view)
    assert isinstance(analytics, AnalyticsBackend)
    return analytics.expected(view)


def _is_bounded(catalogue: Catalogue, view: Resource) -> bool:
    return bool(catalogue.project.views[view.name].bounded)


def read_sync(backend: Backend, resource: Resource) -> Health:
    """Whether a resource is as declared, if its system tells."""
    try:
        return sync_health(plan(backend, resource))
    except Refused as error:
        return Health(State.UNKNOWN, str(error))


def look(read: Callable[..., Health], *what: Any) -> Health:
    """What a check finds. Its own failure is told as well, and keeps no other resource from being looked at and healed."""
    try:
        return read(*what)
    except Exception as error:
        log.exception("%s failed", read.__qualname__)
        return defect(error)


def look_at_filters(catalogue: Catalogue, job: Resource) -> dict[str, Health]:
    """The same of each filter of a stream."""
    try:
        return read_counts(catalogue, job)
    except Exception as error:
        log.exception("counting what stream %s filters failed", job.name)
        return dict.fromkeys((one.id for one in catalogue.project.streams[job.name].filters), defect(error))


def defect(error: Exception) -> Health:
    """What a check says that failed itself."""
    said = f"this check failed, which is a defect of Headrace: {type(error).__name__}: {error}"
    program = os.environ.get("SUPERVISOR_PROCESS_NAME", "dagster-code")  # each project has its own
    return Health(State.UNKNOWN, f"{said}; please report it with the end of `headrace logs {program}`")


LIVE_CHECKS = {
    "lag": LiveCheck(("job",), "The stream keeps up with its topics, judged by the trend.", lambda known, job: known.lag.read(job.name)),
    "fresh": LiveCheck(("job",), "The source's pulse arrives in the analytics database, and nothing older waits beside it.", read_pulses),
    "complete": LiveCheck(("job", "consumer"), "Every record was read; what could not be waits for no one.", read_waiting),
    "receiving": LiveCheck(("consumer",), "Somebody receives the events, and keeps up.", read_receiving),
    "safe": LiveCheck(("capture",), "No setting of the source or of Kafka can lose changes.", read_risks, interval=120),
    "expected": LiveCheck(("view",), "The view's metrics are within their bounds.", read_expected, interval=60, applies=_is_bounded),
}


def build_live_checks(catalogue: Catalogue) -> list[dg.AssetChecksDefinition]:
    return [_build(catalogue, resource, name) for name, check in LIVE_CHECKS.items() for resource in check.watched(catalogue)]


def build_equal_check(catalogue: Catalogue, table: str) -> dg.AssetChecksDefinition:
    """Whether a table is the same as its source, row by row."""
    stream, _ = catalogue.project.target_tables[table]

    @dg.asset_check(
        asset=asset_key(catalogue.project, f"table/{table}"), name=EQUAL,
        additional_deps=[asset_key(catalogue.project, f"job/{stream.name}")],
        description="Every row is the same as in the source, as of a position in its log.",
    )  # fmt: skip
    def evaluate(catalogue: dg.ResourceParam[Catalogue]) -> dg.AssetCheckResult:
        try:
            return health_result(EQUAL, verify(catalogue, table).health())
        except Refused as error:
            return health_result(EQUAL, Health(State.UNKNOWN, str(error)))

    return evaluate


def build_filter_checks(catalogue: Catalogue) -> list[dg.AssetChecksDefinition]:
    return [_build_filter_check(catalogue, stream, one) for stream, one in catalogue.project.filters]


def _build_filter_check(catalogue: Catalogue, stream: Stream, one: Filter) -> dg.AssetChecksDefinition:
    key = asset_key(catalogue.project, f"filter/{one.id}")

    @dg.asset_check(asset=key, name=MATCHES, description="What became of the events: some match, not all, and every one is counted.")
    def evaluate(catalogue: dg.ResourceParam[Catalogue]) -> dg.AssetCheckResult:
        return health_result(MATCHES, read_counts(catalogue, catalogue.by_id[f"job/{stream.name}"])[one.id])

    return evaluate


def _build(catalogue: Catalogue, resource: Resource, name: str) -> dg.AssetChecksDefinition:
    check = LIVE_CHECKS[name]

    @dg.asset_check(asset=asset_key(catalogue.project, resource.id), name=name, description=check.description)
    def evaluate(catalogue: dg.ResourceParam[Catalogue]) -> dg.AssetCheckResult:
        return health_result(name, check.read(catalogue, resource))

    return evaluate
