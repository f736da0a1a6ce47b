"""The command `headrace`: what a project says, what would change, and applying it."""

import json

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from orchestration import platform_commands
from orchestration.places import environment_file, project_folder, use_dagster_home
from project.environment import EndpointError, read_environment
from project.loader import load_project
from project.models import Project
from project.problems import ProjectError
from project.resources import Refused

if TYPE_CHECKING:
    from orchestration.catalogue import Catalogue
    from orchestration.reconcile import Change

app = typer.Typer(no_args_is_help=True, add_completion=False, help="From a database change to a dashboard that can be trusted.",
                  pretty_exceptions_enable=False, rich_markup_mode="rich")
platform_commands.register(app)
out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)

Folder = Annotated[Path, typer.Option("--project", "-p", help="Project folder.", default_factory=project_folder, show_default=False)]
Endpoints = Annotated[
    Path, typer.Option("--environment", "-e", help="Environment file; the embedded platform's by default.", default_factory=environment_file, show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


def main() -> None:
    """Run the command line; problems of specs and calls end with 2, refusals of systems with 1."""
    try:
        app()
    except ProjectError as error:
        for problem in error.problems:
            err.print(f"[red]{escape(str(problem))}[/]")
        sys.exit(2)
    except EndpointError as error:
        err.print(f"[red]{escape(str(error))}[/]")
        sys.exit(2)
    except Refused as error:
        err.print(f"[red]{escape(str(error))}[/]")
        sys.exit(1)


@app.command(epilog="Example: headrace validate -p examples/bookstore")
def validate(project: Folder, as_json: Json = False) -> None:
    """Check a project folder: every problem with its file and line. Needs no running platform."""
    try:
        loaded = load_project(project)
    except ProjectError as error:
        if not as_json:
            raise
        rows = [{"file": problem.location.file, "line": problem.location.line, "message": problem.message} for problem in error.problems]
        print(json.dumps({"problems": rows}, indent=2))
        raise typer.Exit(2) from None
    counts = {kind: len(getattr(loaded, kind)) for kind in ("sources", "streams", "views", "dashboards")}
    print(json.dumps({"problems": [], **counts})) if as_json else out.print(f"{project}: good: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))


@app.command(epilog="Example: headrace render --to /tmp/bookstore")
def render(
    project: Folder, environment: Endpoints,
    to: Annotated[Path | None, typer.Option(help="Write one file per resource into this folder.")] = None,
    only: Annotated[str, typer.Option(help="Show only ids that contain this.")] = "",
) -> None:
    """Show every generated document and SQL."""
    for resource in _catalogue(load_project(project), environment).resources:
        if only not in resource.id:
            continue
        if to:
            path = to / f"{resource.id}.{resource.language}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(resource.text + "\n")
        else:
            out.print(f"[bold]{resource.id}[/]  [dim]{resource.declared_at}[/]")
            out.print(resource.text + "\n", markup=False)
    if to:
        out.print(f"written to {to}")


@app.command(epilog="Example: headrace plan --json")
def plan(project: Folder, environment: Endpoints, as_json: Json = False) -> None:
    """Say what an apply would do. Changes nothing; ends with 1 if a change is refused."""
    from orchestration.reconcile import Action

    with _job(project, environment) as (catalogue, run_job):
        outcome = run_job(catalogue, "plan")
    _fail_on(outcome.problems)
    changes: list[Change] = outcome.value
    wanted = [change for change in changes if change.action is not Action.NONE]
    if as_json:
        print(json.dumps({"changes": [_as_json(change) for change in wanted], "unchanged": len(changes) - len(wanted)}, indent=2, default=str))
    else:
        for change in wanted:
            _print_change(change)
        out.print(f"{len(wanted)} to change, {len(changes) - len(wanted)} unchanged")
    raise typer.Exit(1 if any(change.refusal for change in wanted) else 0)


@app.command(epilog="Example: headrace apply chart/sales-revenue.total_revenue")
def apply(
    project: Folder, environment: Endpoints,
    only: Annotated[list[str] | None, typer.Argument(help="Ids of resources; all by default.")] = None,
    as_json: Json = False,
) -> None:
    """Bring everything to the declared state, in order of dependency. A second apply changes nothing."""
    with _job(project, environment) as (catalogue, run_job):
        unknown = [resource_id for resource_id in only or [] if resource_id not in catalogue.by_id]
        if unknown:
            err.print(f"[red]nothing is called {', '.join(unknown)}; ids look like {catalogue.resources[0].id}; `headrace render` lists them[/]")
            raise typer.Exit(2)
        apply_project(catalogue, tuple(only or ()), quiet=as_json)


@app.command(epilog="Example: headrace check")
def check(project: Folder, environment: Endpoints) -> None:
    """Evaluate every check of every asset now; ends with 1 if one fails."""
    with _job(project, environment) as (catalogue, run_job):
        outcome = run_job(catalogue, "check")
    _fail_on(outcome.problems)
    out.print("all checks passed")


@app.command(epilog="Example: headrace prune --yes")
def prune(project: Folder, environment: Endpoints, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: Json = False) -> None:
    """Remove what carries our mark and is in no spec. Shows it first and asks."""
    with _job(project, environment) as (catalogue, run_job):
        outcome = run_job(catalogue, "prune")
        _fail_on(outcome.problems)
        if as_json:
            print(json.dumps({"prunable": outcome.value}, indent=2))
        else:
            out.print("\n".join(f"[red]-[/] {resource_id}" for resource_id in outcome.value) or "nothing to remove")
        if outcome.value and (yes or (not as_json and typer.confirm(f"Remove these {len(outcome.value)}, with the data in them?"))):
            removed = run_job(catalogue, "prune", ops={"prune": {"config": {"remove": True}}})
            _fail_on(removed.problems)
            err.print(f"removed {len(removed.value)}")


def apply_project(catalogue: "Catalogue", only: tuple[str, ...] = (), quiet: bool = False) -> None:
    """Run the job `apply`, showing each change as it is made; leaves the command with 1 if anything failed."""
    from orchestration.reconcile import Action
    from orchestration.runs import run_job

    changes: list[Change] = []

    def report(change: "Change") -> None:
        changes.append(change)
        if not quiet and change.action is not Action.NONE:
            out.print(f"  [green]{change.action.done}[/] {change.resource.id}")

    outcome = run_job(replace(catalogue, report=report), "apply", selection=only)
    done = [change for change in changes if change.action is not Action.NONE]
    if quiet:
        print(json.dumps({"run": outcome.run_id, "changes": [_as_json(change) for change in done], "unchanged": len(changes) - len(done), "problems": outcome.problems}, indent=2, default=str))
    _fail_on(outcome.problems)
    if not outcome.success:
        _fail_on((f"run {outcome.run_id} failed; look at it in Dagster",))
    if not quiet:
        out.print(f"{len(done)} changed, {len(changes) - len(done)} unchanged")


def _catalogue(project: Project, environment: Path) -> "Catalogue":
    from orchestration.catalogue import build_catalogue

    return build_catalogue(project, read_environment(environment))


@contextmanager
def _job(project: Path, environment: Path) -> Iterator[tuple["Catalogue", "RunJob"]]:
    loaded = load_project(project)
    catalogue = _catalogue(loaded, environment)
    use_dagster_home()
    from orchestration.runs import run_job

    yield catalogue, run_job


def _fail_on(problems: tuple[str, ...]) -> None:
    for problem in problems:
        err.print(f"[red]{escape(problem)}[/]")
    if problems:
        raise typer.Exit(1)


def _print_change(change: "Change") -> None:
    sign = {"create": "[green]+[/]", "update": "[yellow]~[/]", "restart": "[yellow]±[/]", "replace": "[red]±[/]"}[change.action.value]
    out.print(f"{sign} {change.action} [bold]{change.resource.id}[/]  [dim]{change.resource.declared_at}[/]")
    for difference in change.differences:
        out.print(f"    {difference}", markup=False)
    if change.refusal:
        out.print(f"    [red]refused: {escape(change.refusal)}[/]")


def _as_json(change: "Change") -> dict[str, object]:
    return {"id": change.resource.id, "action": change.action, "declared_at": str(change.resource.declared_at),
            "differences": [asdict(difference) for difference in change.differences], "refusal": change.refusal}
