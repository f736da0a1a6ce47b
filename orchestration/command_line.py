"""The command `headrace`: what a project says, what would change, and applying it."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from infra.errors import PlatformError
from orchestration import (
    account_command,
    consume_command,
    dead_letters_command,
    events_command,
    export_command,
    filters_command,
    ingest_command,
    load_command,
    platform_commands,
    project_commands,
    sql_command,
    verify_command,
)
from orchestration.options import Endpoints, Folder
from orchestration.places import is_embedded, use_dagster_home
from project.checks import unread_topics
from project.environment import EndpointError, read_environment
from project.loader import load_project
from project.problems import ProjectError
from project.resources import Refused

if TYPE_CHECKING:
    from orchestration.catalogue import Catalogue

# Dagster and the clients are imported where they are needed: `validate` and `--help` answer at once.
app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="From a database change to a dashboard that can be trusted.",
)  # fmt: skip
out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)

Json = Annotated[bool, typer.Option("--json", help="For machines.")]


def main() -> None:
    """Run the command line: 0 done, 1 a system refused or something differs, 2 the spec or the call is wrong."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        app(prog_name="headrace")
    except (ProjectError, EndpointError) as error:
        err.print(f"[red]{escape(str(error))}[/]")
        sys.exit(2)
    except (Refused, PlatformError) as error:
        err.print(f"[red]{escape(str(error))}[/]")
        sys.exit(1)


@app.command(epilog="Example: headrace up -p examples/bookstore")
def up(project: Folder) -> None:
    """Bring up the platform, apply the project, and say where to look. Run again, it changes nothing that is right."""
    load_project(project)  # A wrong project is told before anything starts.
    from orchestration.bring_up import bring_up

    bring_up(project)


@app.command(epilog="Example: headrace validate -p examples/bookstore")
def validate(project: Folder, as_json: Json = False) -> None:
    """Check a project folder: every problem with its file and line. Needs no running platform."""
    problems, warnings, counts = (), (), {}
    try:
        loaded = load_project(project)
        warnings = tuple(unread_topics(loaded))
        counts = {kind: len(getattr(loaded, kind)) for kind in ("sources", "events", "streams", "consumers", "views", "dashboards")}
    except ProjectError as error:
        if not as_json:
            raise
        problems = error.problems
    if as_json:
        told = {
            name: [{"file": one.location.file, "line": one.location.line, "message": one.message} for one in found]
            for name, found in (("problems", problems), ("warnings", warnings))
        }
        print(json.dumps({**told, **counts}, indent=2))
    else:
        for warning in warnings:
            err.print(f"[yellow]{escape(str(warning))}[/]")
        out.print(f"{project}: good: " + ", ".join(f"{count} {kind}" for kind, count in counts.items() if count))
    raise typer.Exit(2 if problems else 0)


@app.command(epilog="Example: headrace render --only view/ --to build")
def render(
    project: Folder, environment: Endpoints,
    to: Annotated[Path | None, typer.Option(help="Write one file per resource into this folder.")] = None,
    only: Annotated[str, typer.Option(help="Only ids that contain this.")] = "",
) -> None:  # fmt: skip
    """Show every generated document and SQL."""
    for resource in _catalogue(project, environment, changing=False).resources:
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
        err.print(f"written to {to}")


@app.command(epilog="Example: headrace plan --json")
def plan(project: Folder, environment: Endpoints, as_json: Json = False) -> None:
    """Say what an apply would do. Changes nothing; ends with 1 if a change is refused."""
    catalogue = _catalogue(project, environment, changing=False)
    catalogue.read_ahead()
    from orchestration.applying import change_as_json, print_change

    planned = _run(catalogue, "plan")
    unchanged = len(planned.changes) - len(planned.changing)
    if as_json:
        told = {
            "changes": list(map(change_as_json, planned.changing)), "unchanged": unchanged, "prunable": planned.leftovers,
            "risks": planned.risks, "said_otherwise": [{"id": one.resource.id, "note": one.note} for one in planned.said_otherwise],
        }  # fmt: skip
        print(json.dumps(told, indent=2, default=str))
    else:
        for change in (*planned.changing, *planned.said_otherwise):
            print_change(change)
        for resource_id in planned.leftovers:
            out.print(f"[red]-[/] in no spec any more: [bold]{resource_id}[/]; it stays until `headrace prune`")
        for risk in planned.risks:
            out.print(f"[yellow]![/] {escape(risk)}")
        out.print(f"{len(planned.changing)} to change, {unchanged} unchanged")
    raise typer.Exit(1 if any(change.refusal for change in planned.changing) else 0)


@app.command(epilog="Example: headrace apply view/vw_sales_over_time")
def apply(
    project: Folder, environment: Endpoints,
    only: Annotated[list[str] | None, typer.Argument(help="Ids of resources; all by default.")] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Bring everything to the declared state, in order of dependency. A second apply changes nothing."""
    catalogue = _catalogue(project, environment)
    if unknown := [resource_id for resource_id in only or [] if resource_id not in catalogue.by_id]:
        example = catalogue.resources[0].id
        err.print(f"[red]nothing is called {', '.join(unknown)}; an id looks like {example}; `headrace render` lists them[/]")
        raise typer.Exit(2)
    from orchestration import bring_up

    bring_up.apply(catalogue, project, environment, tuple(only or ()), as_json)


@app.command(epilog="Example: headrace check")
def check(project: Folder, environment: Endpoints) -> None:
    """Evaluate every check of every asset now; ends with 1 if one fails, though not if one warns or cannot tell. `equal` is left out:
    tables are compared by its sensor, again and again, and by `headrace verify`."""
    catalogue = _catalogue(project, environment)
    from orchestration.runs import run_job

    outcome = run_job(catalogue, "check")
    for colour, texts in (("yellow", outcome.warned), ("red", outcome.problems)):
        for text in texts:
            err.print(f"[{colour}]{escape(text)}[/]")
    out.print(f"{outcome.passed} passed, {len(outcome.warned)} warned, {len(outcome.problems)} failed")
    raise typer.Exit(0 if outcome.success and not outcome.problems else 1)


@app.command(epilog="Example: headrace prune --yes")
def prune(
    project: Folder, environment: Endpoints, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False, as_json: Json = False
) -> None:
    """Remove what carries our mark and is in no spec. Shows it first and asks."""
    _remove(_catalogue(project, environment), yes, as_json)


@app.command(epilog="Example: headrace erase -p examples/flights")
def erase(project: Folder, environment: Endpoints, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove a project: everything that carries its mark, in every system, and its place on the platform. Its sources keep their data."""
    # Without its views: they read each other, and none of them is to stay.
    catalogue = _catalogue(project, environment, without=("views", "dashboards"))
    here = is_embedded(environment)
    if _remove(catalogue, yes, everything=True, here=here) and here:
        platform_commands.forget(catalogue.project.name)


@app.command(epilog="Example: headrace reread ecom books")
def reread(
    project: Folder, environment: Endpoints, source: Annotated[str, typer.Argument(help="Name of the source.")],
    tables: Annotated[list[str] | None, typer.Argument(help="Captured tables, to read these alone and to empty nothing.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:  # fmt: skip
    """Read a source again from its tables, where its streams cannot go on: after a truncation, a lost slot, records that are gone.
    Where tables are named, their rows are read again while their streams go on."""
    catalogue = _catalogue(project, environment)
    from orchestration import rereading

    _require_names([source], catalogue.project.sources, "source")
    _require_names(tables or [], catalogue.project.sources[source].tables, f"table of {source}")
    emptied = ", ".join(rereading.emptied(catalogue, source))
    question = f"Empty {emptied} and fill them again? Dashboards show too little until that is done."
    if tables:
        steps = rereading.reread_tables(catalogue, source, tables)
    elif yes or typer.confirm(question if emptied else "Have all events come once more that the outbox still holds?"):
        steps = rereading.reread(catalogue, source)
    else:
        return
    for step in steps:
        out.print(f"  {step}")
    rereading.remember(catalogue, source, tables or [])


def _require_names(names: list[str], known: Iterable[str], what: str) -> None:
    if unknown := [name for name in names if name not in known]:
        err.print(f"[red]there is no {what} {', '.join(unknown)}; there is {', '.join(known)}[/]")
        raise typer.Exit(2)


def _remove(catalogue: "Catalogue", yes: bool, as_json: bool = False, everything: bool = False, here: bool = False) -> bool:
    """Show what goes, ask, and remove it; whether it is gone. Only `here`, on the embedded platform, are consumers ours to stop. Raises
    Refused for what was not shown, as it came later: it stays."""
    options = {"everything": everything}
    found: list[str] = _run(catalogue, "prune", {"find_leftovers": {"config": options}})
    if as_json:
        print(json.dumps({"prunable": found}, indent=2))
    else:
        out.print("\n".join(f"[red]-[/] {resource_id}" for resource_id in found) or "nothing to remove")
    if found and not yes and (as_json or not typer.confirm(f"Remove these {len(found)}, with the data in them?")):
        return False
    if found:
        if everything and here:
            platform_commands.rest(catalogue.project.name)
        if not everything:
            from orchestration.applying import tell_sensors

            tell_sensors(catalogue)
        there: list[str] = _run(catalogue, "prune", {"find_leftovers": {"config": options | {"remove": True, "only": found}}})
        err.print(f"removed {len(set(there).intersection(found))}")
        if later := [resource_id for resource_id in there if resource_id not in found]:
            what = f"{', '.join(later)}: came after what was shown, and stays"
            raise Refused(f"{what}; somebody has applied meanwhile: see that your files are the newest, then call this again")
    return True


def _catalogue(project: Path, environment: Path, without: tuple[str, ...] = (), changing: bool = True) -> "Catalogue":
    loaded = load_project(project).model_copy(update={part: {} for part in without})
    endpoints = read_environment(environment)
    use_dagster_home(environment, needed=changing)
    from orchestration.catalogue import build_catalogue

    return build_catalogue(loaded, endpoints)


def _run(catalogue: "Catalogue", job: str, ops: dict[str, Any] | None = None) -> Any:
    from orchestration.applying import fail_on
    from orchestration.runs import run_job

    outcome = run_job(catalogue, job, ops=ops)
    fail_on(outcome.problems)
    return outcome.value


project_commands.register(app)
platform_commands.register(app)
export_command.register(app)
sql_command.register(app)
verify_command.register(app)
consume_command.register(app)
ingest_command.register(app)
dead_letters_command.register(app)
account_command.register(dead_letters_command.commands)
filters_command.register(app)
events_command.register(app)
load_command.register(app)
