"""`headrace up`: the platform, the sample's databases, the project through Dagster, and trade that goes on."""

import time
from pathlib import Path

from rich.console import Console

from infra import lifecycle, projects, supervision
from infra.platform import Platform
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
        running = lifecycle.up(platform, report, project.name, folder.absolute(), project.encoders)
        lifecycle.prepare_sample(platform, running, report)
    use_dagster_home()
    catalogue = build_catalogue(project, read_environment(platform.environment_file))
    apply_project(catalogue)
    with ProgressReport(err) as report:
        lifecycle.serve(platform, running, report)
    _say_where_to_look(platform, catalogue, time.monotonic() - begun)


def give_place(project: Project, folder: Path, environment: Path) -> bool:
    """Let the embedded platform serve a project that is applied to it for the first time, or that begins to write Avro: a code location, a
    role of its own, a schema registry. Whether anything had to be done. Where a project ceases to write Avro, its registry runs until the
    next `up`: what stands in it may have to be pruned."""
    platform = this_platform()
    if environment != platform.environment_file or not supervision.pid(platform):
        return False
    known = {one.name: one.encoders for one in projects.read(platform)}
    if project.name in known and project.encoders.keys() <= set(known[project.name]):
        return False
    with ProgressReport(err) as report:
        lifecycle.up(platform, report, project.name, folder.absolute(), project.encoders)
    return True


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
