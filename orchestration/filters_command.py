"""The commands over filters."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from project.filters.samples import Tried

out = Console(highlight=False, soft_wrap=True)
commands = typer.Typer(no_args_is_help=True, help="Filters as code: which events of a stream a consumer gets.")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(commands, name="filters")


@commands.callback()
def _group() -> None:
    """Keeps `test` a command of its own while it is the only one."""


@commands.command("test", epilog="Example: headrace filters test filters.yaml --explain")
def test_samples(
    file: Annotated[Path, typer.Argument(help="A file of filters with their samples.", metavar="FILE")],
    explain: Annotated[bool, typer.Option("--explain", help="Say of right verdicts as well why they are so.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Judge every sample of every filter; ends with 1 if one is not judged as its author says. Needs no running platform."""
    from project.filters.reading import read_filters
    from project.filters.samples import try_samples

    filters = read_filters(file)
    tried = list(try_samples(filters))
    if as_json:
        print(json.dumps([_told(one) for one in tried], indent=2))
    else:
        for one in tried:
            _show(one, explain)
        wrong, untried = sum(not one.right for one in tried), [one.id for one in filters if not one.samples]
        out.print(f"{len(tried)} samples of {len(filters)} filters, {wrong} judged otherwise than their authors say")
        if untried:
            out.print(f"[yellow]without samples: {', '.join(untried)}[/]")
    raise typer.Exit(0 if all(one.right for one in tried) else 1)


def _show(one: "Tried", explain: bool) -> None:
    what = f"goes to {', '.join(one.topics)}" if one.topics else "stays"
    expected = "" if one.right else f", expected to {'go to ' + ', '.join(one.expected) if one.expected else 'stay'}"
    out.print(f"[{'green]✓' if one.right else 'red]✗'}[/] {escape(str(one.sample.declared_at))} {one.filter.id}: {what}{expected}")
    if explain or not one.right:
        for line in one.verdict.lines("    "):
            out.print(f"[dim]{escape(line)}[/]")


def _told(one: "Tried") -> dict[str, object]:
    return {
        "filter": one.filter.id, "declared_at": str(one.sample.declared_at), "right": one.right, "topics": one.topics,
        "expected": one.expected, "why": list(one.verdict.lines()),
    }  # fmt: skip
