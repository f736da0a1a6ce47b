"""`headrace up`: the platform, the sample's databases, the project through Dagster, and trade that goes on."""

import time
from pathlib import Path

from rich.console import Console

from infra import lifecycle, projects, supervision
from infra.platform import Platform
from infra.projects import RunningProject
from orchestration.applying import apply_project
from orchestration.catalogue import Catalogue, build_catalogue
from orchestration.places import this_platform, use_dagster_home
from orchestration.progress import ProgressReport
from project.environment import read_environment
from project.loader import load_project
from project.models import Project

out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)


def bring_up(folder: Path) -> None:
    """Bring up all that is not up, apply the project, and say where to look. Safe to run again at any time."""
    begun, platform, project = time.monotonic(), this_platform(), load_project(folder)
    with ProgressReport(err) as report:
        running = lifecycle.up(platform, report, project.name, folder.absolute(), bool(project.ingesting))
        lifecycle.prepare_sample(platform, running, report)
    use_dagster_home()
    catalogue = build_catalogue(project, read_environment(platform.environment_file))
    apply_project(catalogue)
    with ProgressReport(err) as report:
        lifecycle.serve(platform, running, report)
        lifecycle.trade(platform, running, report)
    _say_where_to_look(platform, catalogue, time.monotonic() - begun)


def give_place(project: Project, folder: Path, environment: Path) -> RunningProject | None:
    """Let the embedded platform serve a project that is about to be applied to it: a code location, a role and programs of its own.
    None where the project is applied to another platform."""
    platform = this_platform()
    if environment != platform.environment_file or not supervision.pid(platform):
        return None
    known, ingests = {one["name"] for one in supervision.states(platform)}, bool(project.ingesting)
    running = next((one for one in projects.read(platform) if one.name == project.name), None)
    if running is None or running.ingests != ingests or not known.issuperset(running.serving):
        with ProgressReport(err) as report:
            running = lifecycle.up(platform, report, project.name, folder.absolute(), ingests)
    return running


def serve(running: RunningProject) -> None:
    """Start those of a project's programs that take and receive its events and are at rest."""
    platform = this_platform()
    if any(one["statename"] != "RUNNING" for one in supervision.states(platform) if one["name"] in running.serving):
        with ProgressReport(err) as report:
            lifecycle.serve(platform, running, report)


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
