"""What Dagster loads: one code location per project, compiled from its folder without touching the network."""

import os
import warnings
from pathlib import Path

import dagster as dg

from orchestration.assets import build_asset, external_assets
from orchestration.catalogue import Catalogue, build_catalogue
from orchestration.checks import build_equal_check, build_filter_checks, build_live_checks
from orchestration.jobs import build_apply_job, build_verify_job, check_job, plan_job, prune_job
from orchestration.sensors import build_sensors
from project.environment import read_environment
from project.loader import load_project

warnings.filterwarnings("ignore", category=dg.BetaWarning)


def build_definitions(catalogue: Catalogue) -> dg.Definitions:
    """The whole graph of a project."""
    return dg.Definitions(
        assets=[*external_assets(catalogue), *(build_asset(catalogue, resource) for resource in catalogue.resources)],
        asset_checks=[
            *build_live_checks(catalogue),
            *build_filter_checks(catalogue),
            *(build_equal_check(catalogue, table) for table in catalogue.project.target_tables),
        ],
        jobs=[build_apply_job(catalogue), plan_job, check_job, prune_job, *build_verify_job(catalogue)],
        sensors=build_sensors(catalogue),
        resources={"catalogue": catalogue},
        executor=dg.in_process_executor,
    )


@dg.definitions
def definitions() -> dg.Definitions:
    """The project and the environment that the processes of this code location were started for."""
    project = load_project(Path(os.environ["HEADRACE_PROJECT"]))
    return build_definitions(build_catalogue(project, read_environment(Path(os.environ["HEADRACE_ENVIRONMENT"]))))
