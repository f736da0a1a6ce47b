"""The jobs of a project run from the command line: the same runs, on the same instance, as from Dagster's pages."""

import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from orchestration.assets import asset_key
from orchestration.catalogue import Catalogue
from orchestration.definitions import build_definitions
from orchestration.places import has_dagster_home

_RETURNING = {"plan": "plan_changes", "prune": "find_leftovers"}  # job → the op whose output is its answer
_OURS = ("Refused", "Unreachable", "Behind", "Incompatible", "EndpointError", "PlatformError")  # say to a person what to do
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `problems` holds a text per failed resource or check, `warned` one per check that is not well or not known."""

    run_id: str
    success: bool
    problems: tuple[str, ...]
    value: Any = None  # what the job's op returned, None for apply
    warned: tuple[str, ...] = ()
    passed: int = 0  # checks


def run_job(catalogue: Catalogue, name: str, selection: tuple[str, ...] = (), ops: Mapping[str, Any] | None = None) -> Outcome:
    """Run a job in this process. `selection` names resources by id; empty means all."""
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    definitions = build_definitions(catalogue)
    result = definitions.resolve_job_def(name).execute_in_process(
        # A plan changes nothing, so it may be asked for where there is no Dagster, as in the CI of a project.
        instance=dg.DagsterInstance.get() if has_dagster_home() else dg.DagsterInstance.ephemeral(),
        run_config={**_QUIET, **({"ops": ops} if ops else {})},
        asset_selection=[asset_key(catalogue.project, resource_id) for resource_id in selection] or None,
        raise_on_error=False,
        # Lets the pages list the run under the code location that has the same jobs.
        tags={".dagster/repository": f"__repository__@{catalogue.project.name}"},
    )
    value = result.output_for_node(_RETURNING[name]) if name in _RETURNING and result.success else None
    checks = [event.asset_check_evaluation_data for event in result.all_events if event.event_type_value == "ASSET_CHECK_EVALUATION"]
    said = {
        severity: tuple(
            f"{'/'.join(check.asset_key.path[1:])}: {check.check_name}: {check.description}"
            for check in checks if not check.passed and check.severity is severity
        )
        for severity in dg.AssetCheckSeverity
    }  # fmt: skip
    problems = *_failures(result), *said[dg.AssetCheckSeverity.ERROR]
    passed = sum(check.passed for check in checks)
    return Outcome(result.run_id, result.success, problems, value, said[dg.AssetCheckSeverity.WARN], passed)


def _failures(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    """What failed steps say."""
    for event in result.all_events:
        if event.is_step_failure:
            failure = event.step_failure_data
            described = failure.user_failure_data and failure.user_failure_data.description
            told = described or _told(failure.error)
            if told:
                yield told


def _told(error: SerializableErrorInfo | None) -> str | None:
    """What a failed step says to a person: our own error if there is one, else the last cause. A failed gate speaks for itself."""
    while error is not None and error.cause is not None and error.cls_name not in _OURS:
        error = error.cause
    if error is None or error.cls_name == "DagsterAssetCheckFailedError":
        return None
    return error.message.partition(": ")[2].strip() if error.cls_name in _OURS else error.message.strip()
