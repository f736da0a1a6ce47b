"""`headrace up`: the platform, the sample's databases, the project through Dagster, and trade that goes on."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console

from infra import credentials, endpoints, lifecycle, programs, projects, supervision
from infra.platform import Platform
from infra.projects import RunningProject
from orchestration.applying import apply_project
from orchestration.catalogue import Catalogue, build_catalogue
from orchestration.places import is_embedded, this_platform, use_dagster_home
from orchestration.progress import ProgressReport
from project.environment import read_environment
from project.loader import load_project
from project.models import Project

out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)


def bring_up(folder: Path) -> None:
    """Bring up all that is not up, apply the project, and say where to look. Safe to run again at any time."""
    begun, platform, project = time.monotonic(), this_platform(), load_project(folder)
    with lifecycle.going_on(platform):
        with ProgressReport(err) as report:
            running = _up(platform, report, project, folder)
            lifecycle.prepare_sample(platform, running, report)
        use_dagster_home(platform.environment_file)
        catalogue = build_catalogue(project, read_environment(platform.environment_file))
        apply_project(_with_rests(platform, catalogue))
        with ProgressReport(err) as report:
            lifecycle.serve(platform, running, report)
            lifecycle.trade(platform, running, report)
    _say_where_to_look(platform, catalogue, time.monotonic() - begun)


def _up(platform: Platform, report: ProgressReport, project: Project, folder: Path) -> RunningProject:
    return lifecycle.up(platform, report, project.name, folder.absolute(), bool(project.ingesting), project.encoders)


def apply(catalogue: Catalogue, folder: Path, environment: Path, only: tuple[str, ...] = (), as_json: bool = False) -> None:
    """Apply to a place. What serves the project on the embedded platform is made to fit, and runs on if that fails."""
    platform = this_platform()
    if not is_embedded(environment) or not supervision.pid(platform):
        catalogue.read_ahead()
        return apply_project(catalogue, only, as_json)
    with lifecycle.going_on(platform):
        if _give_place(platform, catalogue.project, folder):
            catalogue = build_catalogue(catalogue.project, read_environment(environment))  # which may have more endpoints now
        catalogue.read_ahead()
        apply_project(_with_rests(platform, catalogue), only, as_json)
        if not only:
            serve(catalogue.project, environment)


def _with_rests(platform: Platform, catalogue: Catalogue) -> Catalogue:
    """Its consumers here can be moved to other topics, for which Kafka wants them to stand still."""
    (own,) = (one for one in projects.read(platform) if one.name == catalogue.project.name)
    return replace(catalogue, resting=partial(lifecycle.resting, platform, own))


def _give_place(platform: Platform, project: Project, folder: Path) -> bool:
    """Let the embedded platform serve a project that is about to be applied to it: a code location, a role, programs of its own, a schema
    registry if it writes Avro, the passwords of its servers elsewhere. Whether anything had to be done. Where a project ceases to write
    Avro, its registry runs until the next `up`: what stands in it may have to be pruned."""
    known, running = {one["name"] for one in supervision.states(platform)}, projects.read(platform)
    complete = known == {one.name for one in programs.all_programs(platform, running)}
    told = credentials.are_told(platform, endpoints.capture_passwords(platform, project.sources))
    for one in running:
        fits = one.ingests == bool(project.ingesting) and project.encoders.keys() <= set(one.encoders)
        if one.name == project.name and fits and complete and told:
            return False
    with ProgressReport(err) as report:
        _up(platform, report, project, folder)
    return True


def serve(project: Project, environment: Path) -> None:
    """Have those of a project's programs on the embedded platform run that take and receive its events, by what was applied."""
    platform = this_platform()
    if is_embedded(environment) and supervision.pid(platform):
        with ProgressReport(err) as report:
            for one in (one for one in projects.read(platform) if one.name == project.name):
                lifecycle.serve(platform, one, report)


def _say_where_to_look(platform: Platform, catalogue: Catalogue, seconds: float) -> None:
    dagster = platform.url("dagster")
    out.print(f"\n[bold green]{catalogue.project.title} is live[/] after {seconds:.0f} s\n")
    for dashboard in catalogue.of_kind("dashboard"):
        out.print(f"  dashboard   {catalogue.backend(dashboard).url(dashboard)}")
    for user in (f"analyst-{catalogue.project.name}", "analyst", "admin"):
        out.print(f"  login       {user} / {(platform.secrets / f'superset_{user}').read_text().strip()}")
    out.print(f"  the graph   {dagster}/asset-groups")
    out.print(f"  Flink       {platform.url('flink')}")
    out.print("\nLook at a dashboard first: its numbers move while you watch. Then open the graph, and try [bold]headrace plan[/].")
