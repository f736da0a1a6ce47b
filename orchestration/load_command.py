"""The command that has a project's sample write as much as it can: the sample knows its own events, this only finds it."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from infra import projects
from infra.projects import RunningProject
from orchestration.options import Endpoints
from orchestration.places import ROOT, this_platform
from project.problems import listed, suggestion

err = Console(stderr=True, highlight=False, soft_wrap=True)
_HELP = ("--help", "-h")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    settings = {"ignore_unknown_options": True}
    example = "Example: headrace load cars --vus 20 --rate 500 --duration 1m; headrace load cars --help tells the options of that sample"
    app.command(epilog=example, context_settings=settings, add_help_option=False)(load)


def load(
    context: typer.Context, environment: Endpoints,
    given: Annotated[list[str] | None, typer.Argument(metavar="[NAME] [OPTIONS OF ITS SAMPLE]", help="A project that runs here.")] = None,
    folder: Annotated[Path | None, typer.Option("--project", "-p", help="Its folder, instead of a name.")] = None,
) -> None:  # fmt: skip
    """Have a project's sample put load on the platform, and tell how what it wrote came through."""
    given = given or []
    name, options = (given[0], given[1:]) if given and not given[0].startswith("-") else (None, given)
    if folder is None and name is None and (not options or set(options) & set(_HELP)):
        print(context.get_help())
        raise typer.Exit(0 if options else 2)
    if (folder is None) == (name is None):
        raise typer.BadParameter("expected a project: its name, or its folder with -p; name one of them")
    sample = (folder or _running(str(name)).folder).absolute() / "sample"
    if not (sample / "load.py").exists():
        expected = "expected a project whose sample has a command `load`, as examples/cars has; name another"
        err.print(f"[red]there is no {escape(str(sample / 'load.py'))}; {expected}[/]")
        raise typer.Exit(2)
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "HEADRACE_ENVIRONMENT": str(environment.absolute())}
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, str(sample), "load", *options], variables)  # noqa: S606


def _running(name: str) -> RunningProject:
    known = {one.name: one for one in projects.read(this_platform())}
    if name not in known:
        there = f"there is {listed(known)}" if known else "there is none"
        err.print(f"[red]no project {name} runs on this platform; {suggestion(name, known, there)}; or name a folder: -p FOLDER[/]")
        raise typer.Exit(2)
    return known[name]
