"""The commands over records that could not be read, or not be written."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from orchestration.options import Endpoints, Folder
from orchestration.places import use_dagster_home
from project.environment import read_environment
from project.loader import load_project

if TYPE_CHECKING:
    from orchestration.catalogue import Catalogue

out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)
_SHOWN = 2000  # bytes of a record
_LISTED = 100  # letters, for a reader
Ids = Annotated[list[str], typer.Argument(help="Ids as `list` shows them; `all` for all that wait.", metavar="ID…")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]
commands = typer.Typer(no_args_is_help=True, help="Records that a stream could not read or write, and went on behind.")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(commands, name="dead-letters")


@commands.command("list", epilog="Example: headrace dead-letters list --all")
def list_letters(
    project: Folder, environment: Endpoints,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are settled.")] = False, as_json: Json = False,
) -> None:  # fmt: skip
    """What was set aside and waits for someone; ends with 1 if anything does."""
    found = _dead_letters().letters(opened(project, environment), everything, most=None if as_json else _LISTED + 1)
    if as_json:
        _print(found)
    elif not found:
        out.print("nothing waits: every record was read and written")
    else:
        name = Column("id", no_wrap=True, overflow="fold")
        table = Table(name, "of table", "set aside (UTC)", "why", "settled", box=None, header_style="dim")
        for one in found[:_LISTED]:
            table.add_row(one["id"], one["target"], f"{one['set_aside_at']:%Y-%m-%d %H:%M:%S}", escape(one["reason"]), one["settled"] or "")
        out.print(table)
        if len(found) > _LISTED:
            out.print(f"these are the first {_LISTED}; `--json` tells all")
    raise typer.Exit(1 if any(letter["settled"] is None for letter in found) else 0)


@commands.command(epilog="Example: headrace dead-letters show shop.public.orders:0:117")
def show(project: Folder, environment: Endpoints, ids: Ids, as_json: Json = False) -> None:
    """Each record with its bytes and headers."""
    chosen = _chosen(opened(project, environment), ids, settled=ids != ["all"])
    if as_json:
        _print(chosen)
        return
    for letter in chosen:
        out.print(f"[bold]{letter['id']}[/] of stream {letter['stream']}: {escape(letter['reason'])}")
        if letter["headers"]:
            out.print(f"  headers: {escape(json.dumps(letter['headers'], ensure_ascii=False))}")
        for part in ("key", "value"):
            content = bytes(letter[f"record_{part}"] or b"")
            out.print(f"  {part}, {len(content)} bytes: {escape(repr(content[:_SHOWN]))}" + (" …" if len(content) > _SHOWN else ""))


@commands.command(epilog="Example: headrace dead-letters replay all")
def replay(project: Folder, environment: Endpoints, ids: Ids) -> None:
    """Have the rows of records read again from their source, where they stand in their newest form, and events judged again by the
    filters that run now; ends with 1 if one still cannot be judged."""
    catalogue = opened(project, environment)
    use_dagster_home(environment)
    well = True
    for said, settled in _dead_letters().replay(catalogue, _chosen(catalogue, ids)):
        out.print(escape(said) if settled else f"[red]{escape(said)}[/]")
        well = well and settled
    raise typer.Exit(0 if well else 1)


@commands.command(epilog="Example: headrace dead-letters discard shop.public.orders:0:117")
def discard(
    project: Folder, environment: Endpoints, ids: Ids, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:
    """Settle records without doing anything for their rows; their bytes stay in the table."""
    catalogue = opened(project, environment)
    chosen = _chosen(catalogue, ids)
    if yes or typer.confirm(f"Discard {len(chosen)}? `replay` would read their rows again, or judge events again."):
        _dead_letters().discard(catalogue, chosen)
        out.print(f"discarded {len(chosen)}")


def _chosen(catalogue: "Catalogue", ids: list[str], settled: bool = False) -> list[dict[str, Any]]:
    """Of those that wait, or of all."""
    found = _dead_letters().letters(catalogue, settled, None if ids == ["all"] else ids)
    known = {letter["id"]: letter for letter in found}
    if ids == ["all"]:
        return found
    if unknown := [name for name in ids if name not in known]:
        what, listing = ("nothing", "list --all") if settled else ("nothing that waits", "list")
        err.print(f"[red]{what} is called {', '.join(unknown)}; `headrace dead-letters {listing}` shows what there is[/]")
        raise typer.Exit(2)
    return [known[name] for name in dict.fromkeys(ids)]


def _print(letters: list[dict[str, Any]]) -> None:
    print(json.dumps([_told(letter) for letter in letters], indent=2, default=str))


def _told(letter: dict[str, Any]) -> dict[str, Any]:
    texts = {part: bytes(letter[part] or b"").decode(errors="backslashreplace") for part in ("record_key", "record_value")}
    return letter | texts


def opened(project: Any, environment: Any) -> "Catalogue":
    """The catalogue of a project in an environment."""
    from orchestration.catalogue import build_catalogue

    return build_catalogue(load_project(project), read_environment(environment))


def _dead_letters() -> Any:
    from orchestration import dead_letters

    return dead_letters
