"""A Dagster asset for every resource, and an external one for everything that flows between them.

Materializing an asset applies just its resource: bring the live thing to the declared state, wait (bounded) until it runs,
and gate what comes after by the checks `in_sync` and the kind's health check.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from orchestration.catalogue import Catalogue
from orchestration.exclusive import exclusive
from orchestration.filter_versions import keep_words
from orchestration.kinds import KINDS
from orchestration.reconcile import Action, Change, apply, plan
from project.models import Project, Stream
from project.problems import Location
from project.references import FILTERS, RECEIVED
from project.resources import Backend, Health, Refused, Resource, State, Unreachable

IN_SYNC = "in_sync"
_ADDRESS = re.compile(r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}")  # what Dagster takes for one


def asset_key(project: Project, resource_id: str) -> dg.AssetKey:
    return dg.AssetKey([project.name, *resource_id.split("/")])


def external_assets(catalogue: Catalogue) -> list[dg.AssetSpec]:
    """What flows: source tables, changes in topics, rows in tables. Watched, never applied; by them the lineage follows the data."""
    project = catalogue.project
    jobs = {job.name: asset_key(project, job.id) for job in catalogue.of_kind("job")}
    found = [_flow(project, "rows/pulse", "The sources' pulse as it arrives.", list(jobs.values()), project.declared_at)]
    for source in project.sources.values():
        connector = asset_key(project, f"connector/{source.connector}")
        for name, table in source.captured.items():
            found.append(_flow(project, f"source/{source.name}/{name}", table.description, [], table.declared_at))
            text = f"Changes of table {name} on their way through Kafka."
            found.append(_flow(project, f"changes/{source.topic(name)}", text, [connector], table.declared_at))
    for stream, one in project.filters:
        metadata = f"{one.description or one.name} For {one.consumerId}."
        found.append(_flow(project, f"filter/{one.id}", metadata, [jobs[stream.name]], one.declared_at))
    for stream in project.streams.values():
        found += [_filtered(project, stream, topic) for topic in project.written_topics(stream)]
    if filters := [asset_key(project, f"filter/{one.id}") for _, one in project.filters]:
        found.append(_flow(project, f"rows/{FILTERS}", "What became of events, as it is counted.", filters, project.declared_at))
    if consumers := [asset_key(project, consumer.id) for consumer in catalogue.of_kind("consumer")]:
        found.append(_flow(project, f"rows/{RECEIVED}", "Events as consumers receive them.", consumers, project.declared_at))
    for target, (stream, _) in project.target_tables.items():
        found.append(_flow(project, f"rows/{target}", f"Rows as stream {stream.name} keeps them.", [jobs[stream.name]], stream.declared_at))
    return found


def _filtered(project: Project, stream: Stream, topic: str) -> dg.AssetSpec:
    """Events on their way to consumers, or set aside."""
    writers = [one for one in stream.filters if topic in {project.filtered_topic(name) for name, _ in one.outputs}]
    deps = [asset_key(project, f"filter/{one.id}") for one in writers or stream.filters]
    what = ", ".join(one.name for one in writers) or "events that no filter could judge"
    return _flow(project, f"events/{topic}", f"On their way through Kafka: {what}.", deps, stream.declared_at)


_FLOW_ICONS = {"source": "table", "changes": "kafka", "rows": "stream", "filter": "stream", "events": "kafka"}
_FLOW_GROUPS = {"filter": "filters"}  # the others are called as their resources


def _flow(project: Project, resource_id: str, description: str, deps: list[dg.AssetKey], place: Location) -> dg.AssetSpec:
    kind = resource_id.partition("/")[0]
    return dg.AssetSpec(
        asset_key(project, resource_id), group_name=_FLOW_GROUPS.get(kind, kind), kinds={_FLOW_ICONS[kind]}, description=description,
        deps=deps, owners=[_owner(project)], metadata=_declared_at(place),
    )  # fmt: skip


def build_asset(catalogue: Catalogue, resource: Resource) -> dg.AssetsDefinition:
    """The asset of one resource."""
    project, kind = catalogue.project, KINDS[resource.kind]
    key = asset_key(project, resource.id)

    @dg.asset(
        key=key,
        deps=_upstream(project, resource),
        group_name=kind.group,
        kinds=set(kind.icons),
        description=resource.description or resource.title,
        owners=[_owner(project)],
        code_version=resource.digest,
        metadata={**_declared_at(resource.declared_at), **_generated(resource)},
        check_specs=_check_specs(key, resource),
        retry_policy=dg.RetryPolicy(max_retries=2, delay=2),
    )
    def materialize(context: dg.AssetExecutionContext, catalogue: dg.ResourceParam[Catalogue]) -> dg.MaterializeResult:
        backend = catalogue.backend(resource)
        try:
            change = remaining = plan(backend, resource)
            if change.action is not Action.NONE:
                with exclusive(catalogue.environment.analytics, project.name):
                    change, remaining = apply(backend, resource)
                context.log.info(str(change))
            if resource in catalogue.routing:
                keep_words(project, catalogue.environment, resource)
        except Refused as error:
            raise dg.Failure(str(error), allow_retries=isinstance(error, Unreachable)) from error
        catalogue.report(change)
        health = settled(backend, resource, kind.patience) if kind.check else None
        return dg.MaterializeResult(
            data_version=dg.DataVersion(resource.digest),
            metadata=_applied(change, backend.url(resource)),
            check_results=list(_gates(change, remaining, kind.check, health)),
        )

    return materialize


def settled(backend: Backend, resource: Resource, patience: float) -> Health:
    """How a resource is, once it is well or so many seconds have passed."""
    return Retrying(
        retry=retry_if_result(lambda health: health.state is State.FAILED), stop=stop_after_delay(patience), wait=wait_fixed(0.5),
        retry_error_callback=lambda state: backend.health(resource),
    )(backend.health, resource)  # fmt: skip


def health_result(name: str, health: Health) -> dg.AssetCheckResult:
    """A health as a check result: what we cannot know is a warning, never green."""
    severity = dg.AssetCheckSeverity.ERROR if health.state is State.FAILED else dg.AssetCheckSeverity.WARN
    facts = {key: value for key, value in health.facts.items() if value is not None}
    passed = health.state is State.PASSED
    return dg.AssetCheckResult(passed=passed, check_name=name, description=health.text, severity=severity, metadata=facts)


def sync_health(remaining: Change) -> Health:
    """Whether a resource is as declared, from a plan that should be empty."""
    if remaining.action is Action.NONE:
        return Health(State.PASSED, "as declared")
    return Health(State.FAILED, f"drifted; materialize this asset to bring it back:\n{remaining}")


def sync_result(remaining: Change) -> dg.AssetCheckResult:
    return health_result(IN_SYNC, sync_health(remaining))


def _gates(change: Change, remaining: Change, check: str | None, health: Health | None) -> Iterator[dg.AssetCheckResult]:
    yield sync_result(remaining)
    if check and health:
        yield health_result(check, health)


def _check_specs(key: dg.AssetKey, resource: Resource) -> list[dg.AssetCheckSpec]:
    specs = [dg.AssetCheckSpec(IN_SYNC, asset=key, blocking=True, description="The live object is as the spec declares it.")]
    check = KINDS[resource.kind].check
    if check:
        specs.append(dg.AssetCheckSpec(check, asset=key, blocking=True, description="The live object does its work."))
    return specs


def _upstream(project: Project, resource: Resource) -> list[dg.AssetKey]:
    """What must be applied before, and what flows in."""
    flows = {
        "capture": lambda: [f"source/{resource.name}/{table}" for table in project.sources[resource.name].captured],
        "job": lambda: [f"changes/{topic}" for topic in _topics(project, resource.name)],
        "consumer": lambda: [f"events/{topic}" for topic in resource.document["topics"]],
        "view": lambda: [f"rows/{needed.removeprefix('table/')}" for needed in resource.depends_on if needed.startswith("table/")],
    }
    return [asset_key(project, needed) for needed in (*resource.depends_on, *flows.get(resource.kind, list)())]


def _topics(project: Project, stream: str) -> list[str]:
    spec = project.streams[stream]
    return list(project.sources[spec.source].topics(spec.tables))


def _owner(project: Project) -> str:
    return project.owner if _ADDRESS.fullmatch(project.owner) else f"team:{project.owner}"


def _declared_at(location: Location) -> dict[str, Any]:
    if not location.line:
        return {}
    reference = dg.LocalFileCodeReference(file_path=str(Path(location.file).absolute()), line_number=location.line, label=str(location))
    return {"declared_at": str(location), "dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}


def _generated(resource: Resource) -> dict[str, Any]:
    return {"generated": dg.MetadataValue.md(f"```{resource.language}\n{resource.text}\n```")} if resource.text else {}


def _applied(change: Change, url: str | None) -> dict[str, Any]:
    found = "\n".join(f"- {difference}" for difference in change.differences)
    return {
        "outcome": change.action.done,
        **({"differences": dg.MetadataValue.md(found)} if found else {}),
        **({"open": dg.MetadataValue.url(url)} if url else {}),
    }
