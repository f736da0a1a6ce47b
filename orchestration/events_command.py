"""The commands over events: their schemas, and what became of one."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from orchestration.dead_letters_command import Json, opened
from orchestration.options import Endpoints, Folder, named
from project.loader import load_project

if TYPE_CHECKING:
    from orchestration.catalogue import Catalogue
    from orchestration.traces import Search, Trace

out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)
commands = typer.Typer(no_args_is_help=True, help="Events: what a source says that they hold, and what became of one.")
_COLOURS = {"raw": "bold", "passed": "green", "read": "green", "stayed": "dim", "missing": "red", "no event": "red"}


class Format(StrEnum):
    JSON_SCHEMA = "json-schema"
    AVRO = "avro"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(commands, name="events")


@commands.command("export", epilog="Example: headrace events export LoanCreated --format avro --filtered -p examples/cars")
def export(
    name: Annotated[str, typer.Argument(help="The event, or an earlier version of it such as LoanCreated@1.", metavar="EVENT")],
    project: Folder,
    written_as: Annotated[Format, typer.Option("--format", help="What it is written as.")] = Format.JSON_SCHEMA,
    filtered: Annotated[bool, typer.Option("--filtered", help="As consumers get it, with what filters add.")] = False,
) -> None:
    """Write a schema for others to read. Needs no running platform."""
    from project.events.export import NotInAvro, as_text, avro_schema, json_schema

    loaded = load_project(project)
    schema = named(name, loaded.events, "event")
    try:
        avro = written_as is Format.AVRO
        print(as_text(avro_schema(schema, f"{loaded.name}.events", filtered) if avro else json_schema(schema, filtered)))
    except NotInAvro as error:
        err.print(f"[red]{escape(str(schema.declared_at.file))}: {escape(str(error))}[/]")
        raise typer.Exit(2) from None


@commands.command("trace", epilog="Example: headrace events trace 0c3f6f0e-5a53-4d0e-9a61-8a4b5d1f2c77 -p examples/cars")
def trace(
    uuid: Annotated[str, typer.Argument(help="What the event's header says as its uuid.", metavar="UUID")],
    project: Folder, environment: Endpoints,
    last: Annotated[int, typer.Option(min=1, help="Among how many events it is looked for, the newest ones of each stream.")] = 100_000,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Follow an event: where it stands, what each filter that runs makes of it and why, where it was written, who has read it; ends with 1
    if it is not found."""
    from orchestration import tracing

    if not (uuid := uuid.strip()):
        err.print("[red]an empty uuid is that of no event; say the one that stands in the event's header[/]")
        raise typer.Exit(2)
    catalogue = opened(project, environment)
    if not catalogue.routing:
        err.print(f"[red]project {catalogue.project.name} has no stream of kind filters, so there are no events to follow[/]")
        raise typer.Exit(2)
    with err.status(f"looking for {escape(uuid)}"):
        searches = list(tracing.trace(catalogue, uuid, last))
    if as_json:
        print(json.dumps({"uuid": uuid, "streams": [asdict(one) for one in searches]}, indent=2, default=str))
    else:
        _show([one for search in searches for one in search.found])
    if not any(one.found for one in searches):
        for search in searches:
            err.print(f"[red]{escape(_not_found(catalogue, uuid, search))}[/]")
        raise typer.Exit(1)


def _show(found: Sequence["Trace"]) -> None:
    from orchestration.traces import lines

    for number, trace in enumerate(found):
        if number:
            out.print()
        for word, said in lines(trace):
            out.print(f"[{_COLOURS.get(word, 'yellow')}]{word:<10}[/]{escape(said)}")


def _not_found(catalogue: "Catalogue", uuid: str, search: "Search") -> str:
    """How far was looked, and where else to look."""
    from orchestration.traces import utc

    source = catalogue.project.sources[catalogue.project.streams[search.stream].source]
    assert source.outbox
    how = f"the newest ones, since {utc(search.since)} UTC" if search.since else "all that Kafka still holds"
    more = "look at more of them with --last; " if search.since else ""
    outbox = f"look whether it was committed to the outbox, table {source.outbox.table} of source {source.name}"
    return (
        f"no event with uuid {uuid} is in {search.topic}: {search.looked_at:,} were looked at, {how}; {more}{outbox}, "
        f"and whether connector/{source.connector} is behind: `headrace check`"
    )
