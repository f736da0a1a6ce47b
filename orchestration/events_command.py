"""The commands over schemas of events."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from orchestration.options import Folder, named
from project.loader import load_project

err = Console(stderr=True, highlight=False, soft_wrap=True)
commands = typer.Typer(no_args_is_help=True, help="Schemas of events: what a source says that its events hold.")


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
