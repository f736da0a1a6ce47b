"""Commands that write files of a project: init, import-source."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.credentials import for_connect
from orchestration.options import Folder
from orchestration.places import environment_file, is_embedded, this_platform
from project.loader import load_project

if TYPE_CHECKING:
    from project.described import DescribedDatabase
    from project.imported import Imported

# What one command alone needs is imported there: the others answer sooner.
out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)

_DSN_HELP = "A libpq connection string, such as postgresql://USER@HOST:PORT/DATABASE. PGPASSWORD, PGPASSFILE and PGSERVICE work as ever."
_ENDPOINT = """sources:
  {source}:
    host: {host}
    port: {port}
    admin: {{user: headrace_admin, password: {{file: FILE}}}}
    capture: {{user: headrace_capture, password: {{file: FILE}}, reference: "{reference}"}}"""
Schema = Annotated[str, typer.Option(help="The schema whose tables are read.")]
Tables = Annotated[str, typer.Option(help="Only these tables, with commas between them.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(epilog="Example: headrace init cafe --from postgresql://me@db.internal/cafe")(init)
    app.command(epilog="Example: headrace import-source postgresql://me@db.internal/crm -p cafe")(import_source)


def init(
    folder: Annotated[Path, typer.Argument(help="A new or an empty folder.", metavar="DIR")],
    name: Annotated[str, typer.Option(help="Name of the project; by default the folder's.")] = "",
    dsn: Annotated[str, typer.Option("--from", help=_DSN_HELP)] = "",
    schema: Schema = "public", tables: Tables = "",
) -> None:  # fmt: skip
    """Write a small project that works: of the tables of a live database, or of an example."""
    from project.starting import SCHEMAS_FROM_FOLDER, project_name, starter_files

    if folder.exists() and (not folder.is_dir() or any(path.name != ".git" for path in folder.iterdir())):
        _fail(f"{folder}: there is something already; expected a new or an empty folder; name another one")
    project = name or project_name(folder.resolve().name)
    if project != project_name(project):
        _fail(f"--name {project} is no name; expected lower-case letters, digits and dashes, a letter first; try {project_name(project)}")
    if dsn:
        database, address = _described(dsn, schema, tables)
        source = project_name(database.name)
        imported = _imported(database, source, [], SCHEMAS_FROM_FOLDER)
        _write(folder, starter_files(project, source, imported), overwrite=False)
        _say_imported(database, imported, source, address)
    else:
        _write(folder, starter_files(project), overwrite=False)
    load_project(folder)
    out.print(f"\n{folder} is ready: look at its files, then [bold]headrace plan -p {folder}[/] and [bold]headrace apply -p {folder}[/]")


def import_source(
    dsn: Annotated[str, typer.Argument(help=_DSN_HELP)],
    folder: Folder,
    name: Annotated[str, typer.Option(help="Name of the source; by default the database's.")] = "",
    schema: Schema = "public", tables: Tables = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write files anew that are there already.")] = False,
) -> None:  # fmt: skip
    """Read a live database, and write the source and the stream that mirrors it."""
    from project.starting import SCHEMAS_FROM_FOLDER, project_name

    project = load_project(folder)
    database, address = _described(dsn, schema, tables)
    source = project_name(name or database.name)
    others = [table for table, (stream, _) in project.target_tables.items() if stream.name != source]
    has_schemas = (folder / ".vscode/headrace/source.json").exists()
    imported = _imported(database, source, [*others, *project.views], SCHEMAS_FROM_FOLDER if has_schemas else None)
    _write(folder, {f"sources/{source}.yaml": imported.source, f"streams/{source}.yaml": imported.stream}, overwrite)
    _say_imported(database, imported, source, address)
    load_project(folder)


def _described(dsn: str, schema: str, tables: str) -> tuple["DescribedDatabase", tuple[str, int]]:
    """What the database has; only the named tables, if some are named."""
    from cdc.describing import describe_database

    database, address = describe_database(dsn, schema)
    wanted = [table.strip() for table in tables.split(",") if table.strip()]
    there = [table.name for table in database.tables]
    if unknown := [table for table in wanted if table not in there]:
        _fail(f"there is no table {', '.join(unknown)} in {database.name}.{schema}; it has {', '.join(there) or 'none'}; correct --tables")
    return replace(database, tables=tuple(table for table in database.tables if not wanted or table.name in wanted)), address


def _imported(database: "DescribedDatabase", source: str, taken: list[str], schemas: str | None) -> "Imported":
    from project.imported import import_database

    imported = import_database(database, source, taken, schemas)
    if not imported.targets:
        reasons = "\n".join(f"  {item}" for item in imported.left_out) or "  it has no tables in this schema; name another with --schema"
        _fail(f"nothing of {database.name} can be captured:\n{reasons}", 1)
    return imported


def _write(folder: Path, files: Mapping[str, str], overwrite: bool) -> None:
    """All of them or none."""
    if not overwrite and (there := [path for path in files if (folder / path).exists()]):
        _fail(f"{', '.join(str(folder / path) for path in there)} exists already; move it away, choose another --name, or add --overwrite")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
        if not path.startswith(".vscode"):
            err.print(f"[green]+[/] {folder / path}")


def _say_imported(database: "DescribedDatabase", imported: "Imported", source: str, address: tuple[str, int]) -> None:
    table = Table("table", "columns", "about rows", "primary key", box=None, header_style="dim")
    for one in (one for one in database.tables if one.name in imported.targets):
        table.add_row(one.name, str(len(one.columns)), "?" if one.estimated_rows is None else f"{one.estimated_rows:,}", ", ".join(one.key))
    out.print(table)
    out.print("[dim]Rows are the planner's estimates; ? stands where it has none (run `analyze`).[/]")
    for item in imported.left_out:
        out.print(f"[yellow]left out[/] {escape(str(item))}")
    _say_endpoint(source, *address)


def _say_endpoint(source: str, host: str, port: int) -> None:
    """An environment knows sources by their names; say so where it would look elsewhere."""
    from project.environment import EndpointError, read_environment

    file = environment_file()
    try:
        place = read_environment(file).source(source)
    except EndpointError:
        looks = "nowhere yet"
    else:
        if (place.host, place.port) == (host, port):
            return
        looks = f"at {place.host}:{place.port}"
    out.print(f"[yellow]note[/] {source} was read from {host}:{port}, and is looked for {looks}. If that is another server, add it to")
    out.print(f"     {escape(str(file))}, with a file for each password; docs/environments.md says what the logins must be able to do:\n")
    reference = for_connect(this_platform(), source) if is_embedded(file) else "REFERENCE"
    out.print(_ENDPOINT.format(source=source, host=host, port=port, reference=reference), markup=False)


def _fail(message: str, code: int = 2) -> None:
    err.print(f"[red]{escape(message)}[/]")
    raise typer.Exit(code)
