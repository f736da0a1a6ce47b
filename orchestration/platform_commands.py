"""Commands over the embedded platform: up, down, status, logs."""

import json
import subprocess
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.progress import step
from orchestration.places import this_platform
from orchestration.progress import ProgressReport

if TYPE_CHECKING:
    from infra.lifecycle import Component

# What handles processes is imported where it is needed: the other commands answer sooner.
out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Example: headrace status --json")(status)
    app.command(epilog="Example: headrace logs flink-taskmanager -f")(logs)
    app.command(epilog="Example: headrace down --erase")(down)


def status(as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """What runs, since when, where, and how much memory it holds; ends with 1 if something does not run."""
    from infra import lifecycle

    components = lifecycle.status(this_platform())
    if as_json:
        print(json.dumps({"components": [{**asdict(one), "log": str(one.log)} for one in components]}, indent=2))
    elif not components:
        out.print("the platform is down; start it with `make up`")
    else:
        _print_table(components)
    raise typer.Exit(0 if components and all(map(_is_well, components)) else 1)


def _is_well(one: "Component") -> bool:
    """Whether it is as it should be: a sample trades for who wants it to."""
    return one.state == "RUNNING" or (one.state == "STOPPED" and one.name.startswith("sample"))


def _print_table(components: list["Component"]) -> None:
    table = Table("component", "state", "up for", "process", "address", "memory", box=None, header_style="dim")
    for one in components:
        colour = "red" if not _is_well(one) else "green" if one.state == "RUNNING" else "dim"
        age = _duration(time.time() - one.since) if one.since else ""
        process, memory = str(one.pid or ""), f"{one.rss >> 20} MB" if one.rss else ""
        table.add_row(one.name, f"[{colour}]{one.state.lower()}[/]", age, process, one.address or "", memory)
    out.print(table)
    out.print(f"[dim]{sum(one.rss for one in components) / 1e9:.1f} GB resident in all[/]")


def _duration(seconds: float) -> str:
    hours, minutes = int(seconds) // 3600, int(seconds) // 60 % 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {int(seconds) % 60} s" if minutes else f"{int(seconds)} s"


def logs(
    name: Annotated[str, typer.Argument(help="A component, as `headrace status` names it.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until interrupted.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 100,
) -> None:
    """Show the log of one component."""
    from infra import lifecycle

    path = lifecycle.log_path(this_platform(), name)
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.log"))) or "none yet; start the platform with `make up`"
        err.print(f"[red]there is no log called {name}; there are: {known}[/]")
        raise typer.Exit(2)
    subprocess.run(["tail", "-n", str(lines), *(["-F"] if follow else []), str(path)], check=False)


def rest(project: str) -> None:
    """Stop a project's consumers on the embedded platform, if it runs any."""
    from infra import lifecycle

    lifecycle.rest(this_platform(), project)


def forget(project: str) -> None:
    """Take a project's place on the embedded platform away, if it has one."""
    from infra import lifecycle

    with ProgressReport(err) as report:
        lifecycle.forget(this_platform(), report, project)


def down(
    erase: Annotated[bool, typer.Option("--erase", help="Also remove all data, secrets and logs.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before erasing.")] = False,
) -> None:
    """Stop everything. Data stays, unless --erase."""
    from infra import lifecycle

    platform = this_platform()
    if erase and not yes and not typer.confirm(f"Erase all data, secrets and logs in {platform.state}?"):
        raise typer.Exit(1)
    with ProgressReport(err) as report:
        lifecycle.down(platform, report)
        if erase:
            with step(report, "erasing"):
                lifecycle.erase(platform)
