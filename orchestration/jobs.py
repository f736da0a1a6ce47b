"""The jobs of a project: apply everything, plan, evaluate all checks, prune what the spec no longer names."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestration.assets import IN_SYNC, asset_key, health_result
from orchestration.catalogue import Catalogue
from orchestration.certificates import EQUAL
from orchestration.checks import LIVE_CHECKS, look, look_at_filters, read_risks, read_sync
from orchestration.exclusive import exclusive
from orchestration.filter_counts import MATCHES
from orchestration.filter_versions import end_versions, judging, refuse_change, say_change, say_words
from orchestration.kinds import KINDS, PRUNE_ORDER
from orchestration.reconcile import Action, Change, plan
from project.resources import Resource, State

# Seconds after which one of these is taken for hung: hundreds of large tables, or the index of one, take hours.
_LONG = {"dagster/max_runtime": "86400"}


def build_apply_job(catalogue: Catalogue) -> UnresolvedAssetJobDefinition:
    """Everything, gated by the checks inside each step. Those beside the steps are left out: nothing has arrived yet when an apply ends."""
    beside = [
        dg.AssetCheckKey(asset_key(catalogue.project, resource.id), name)
        for name, check in LIVE_CHECKS.items() for resource in check.watched(catalogue)
    ]  # fmt: skip
    beside += _equal_checks(catalogue)
    beside += [dg.AssetCheckKey(asset_key(catalogue.project, f"filter/{one.id}"), MATCHES) for _, one in catalogue.project.filters]
    selection = dg.AssetSelection.all() - dg.AssetSelection.checks(*beside)
    return dg.define_asset_job("apply", selection=selection, description="Bring everything to the declared state.", tags=_LONG)


def build_verify_job(catalogue: Catalogue) -> Iterator[UnresolvedAssetJobDefinition]:
    """The comparison of every table with its source, if there are tables."""
    if checks := _equal_checks(catalogue):
        selection = dg.AssetSelection.checks(*checks)
        yield dg.define_asset_job("verify", selection=selection, description="Compare every table with its source, row by row.", tags=_LONG)


def _equal_checks(catalogue: Catalogue) -> list[dg.AssetCheckKey]:
    return [dg.AssetCheckKey(asset_key(catalogue.project, f"table/{table}"), EQUAL) for table in catalogue.project.target_tables]


def plan_all(catalogue: Catalogue) -> list[Change]:
    """What an apply would do, in its order."""
    return [told(catalogue, plan(catalogue.backend(resource), resource)) for resource in catalogue.resources]


def told(catalogue: Catalogue, change: Change) -> Change:
    """Filters that begin may have run before, so they are told and refused as those that change. What is only said otherwise of a filter
    needs no other job, and an apply enters it all the same."""
    if change.resource not in catalogue.routing:
        return change
    known, begins = (catalogue.project, catalogue.environment, change.resource), change.action is Action.CREATE
    notes = say_change(*known) if begins else "", change.note, say_words(*known)
    refusal = refuse_change(*known) if begins else change.refusal
    return replace(change, refusal=refusal, note="\n".join(filter(None, notes)) or None)


def prunable(catalogue: Catalogue, everything: bool = False) -> list[str]:
    """Ids of what carries the project's mark and is in no spec, or of everything, in the order in which it can be removed."""
    owned = {resource_id for backend in catalogue.backends.values() for resource_id in backend.owned()}
    owned |= judging(catalogue.project, catalogue.environment)  # ended as well where Flink has lost the job
    left = owned if everything else owned - set(catalogue.by_id)
    return sorted(left, key=lambda resource_id: (PRUNE_ORDER.index(resource_id.partition("/")[0]), resource_id))


@dataclass(frozen=True)
class Plan:
    """What an apply would do, in its order, what a prune would remove, and what can lose changes whatever is applied."""

    changes: list[Change]
    leftovers: list[str]
    risks: list[str]

    @property
    def changing(self) -> list[Change]:
        return [change for change in self.changes if change.action is not Action.NONE]

    @property
    def said_otherwise(self) -> list[Change]:
        """Those that only enter what is said of filters."""
        return [change for change in self.changes if change.action is Action.NONE and change.note]


def _risks(catalogue: Catalogue) -> Iterator[str]:
    for capture in catalogue.of_kind("capture"):
        health = read_risks(catalogue, capture)
        if health.state is not State.PASSED:
            yield f"{capture.id}: {health.text}"


@dg.op(name="plan_changes")
def _plan(context: dg.OpExecutionContext, catalogue: dg.ResourceParam[Catalogue]) -> dg.Output[Plan]:
    with ThreadPoolExecutor(1) as pool:  # both wait for the same systems
        leftovers = pool.submit(prunable, catalogue)
        planned = Plan(plan_all(catalogue), leftovers.result(), list(_risks(catalogue)))
    told = [str(change) for change in (*planned.changing, *planned.said_otherwise)]
    for line in (*told, *planned.risks):
        context.log.info(line)
    context.log.info(f"{len(planned.changing)} of {len(planned.changes)} resources to change, {len(planned.leftovers)} to prune")
    lists = {"changes": told, "to prune": planned.leftovers}
    return dg.Output(planned, metadata={name: dg.MetadataValue.md(_listing(lines)) for name, lines in lists.items()})


@dg.job(name="plan", description="Say what an apply would do. Changes nothing.", executor_def=dg.in_process_executor)
def plan_job() -> None:
    _plan()


@dg.op(name="evaluate_checks")
def _check(context: dg.OpExecutionContext, catalogue: dg.ResourceParam[Catalogue]) -> None:
    for resource in catalogue.resources:
        for resource_id, result in _evaluate(catalogue, resource):
            context.log_event(
                dg.AssetCheckEvaluation(  # pyright: ignore[reportArgumentType] - accepted, the annotation lags behind
                    asset_key=asset_key(catalogue.project, resource_id), check_name=str(result.check_name), passed=result.passed,
                    metadata=result.metadata or {}, severity=result.severity, description=result.description,
                )
            )


def _evaluate(catalogue: Catalogue, resource: Resource) -> Iterator[tuple[str, dg.AssetCheckResult]]:
    """The checks of a resource but `equal`, which takes as long as its table is large; of a job also those of its filters."""
    backend, check = catalogue.backend(resource), KINDS[resource.kind].check
    yield resource.id, health_result(IN_SYNC, look(read_sync, backend, resource))
    if check:
        yield resource.id, health_result(check, look(backend.health, resource))
    for name, live in LIVE_CHECKS.items():
        if resource in live.watched(catalogue):
            yield resource.id, health_result(name, look(live.read, catalogue, resource))
    if resource in catalogue.routing:
        for name, health in look_at_filters(catalogue, resource).items():
            yield f"filter/{name}", health_result(MATCHES, health)


_EVERY_CHECK = "Evaluate every check of every asset now, but for `equal`: the job `verify` compares tables."


@dg.job(name="check", description=_EVERY_CHECK, executor_def=dg.in_process_executor)
def check_job() -> None:
    _check()


class PruneConfig(dg.Config):
    """`remove` is false to show what would go; set it to true to remove it. `everything`: also what the spec names. `only`: nothing but
    these ids, as they were shown to whoever said yes; all that is found if left out."""

    remove: bool = False
    everything: bool = False
    only: list[str] | None = None


@dg.op(name="find_leftovers")
def _prune(context: dg.OpExecutionContext, config: PruneConfig, catalogue: dg.ResourceParam[Catalogue]) -> dg.Output[list[str]]:
    if config.remove:
        with exclusive(catalogue.environment.analytics, catalogue.project.name):
            found = prunable(catalogue, config.everything)
            chosen = [resource_id for resource_id in found if config.only is None or resource_id in config.only]
            for resource_id in chosen:
                _delete(catalogue, resource_id)
                context.log.info(f"removed {resource_id}")
        return dg.Output(found, metadata={"removed": dg.MetadataValue.md(_listing(chosen))})
    if found := prunable(catalogue, config.everything):
        context.log.info(f"{len(found)} to remove; run again with remove: true")
    return dg.Output(found, metadata={"would remove": dg.MetadataValue.md(_listing(found))})


def _delete(catalogue: Catalogue, resource_id: str) -> None:
    kind, _, name = resource_id.partition("/")
    catalogue.backends[KINDS[kind].system].delete(resource_id)
    if kind == "job":
        end_versions(catalogue.project, catalogue.environment, name)


@dg.job(name="prune", description="Remove what carries our mark and is in no spec; shows it first.", executor_def=dg.in_process_executor)
def prune_job() -> None:
    _prune()


def _listing(lines: Iterable[str]) -> str:
    return "```\n" + ("\n".join(lines) or "nothing") + "\n```"
