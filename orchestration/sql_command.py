"""The command that runs SQL in a source or in the analytics database: no client to install, no password to look up."""

import csv
import sys
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.options import Endpoints
from project.environment import AnalyticsDatabase, Environment, SourceDatabase, read_environment

out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False)
_ANALYTICS = "analytics"
_CONNECT = 10  # seconds


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: headrace sql analytics 'select count(*) from fact_orders'")(sql)


def sql(
    environment: Endpoints,
    server: Annotated[str, typer.Argument(help='"analytics", or the name of a source.')],
    statements: Annotated[str, typer.Argument(help="What to run; read from standard input if left out.")] = "",
    database: Annotated[str, typer.Option("--database", "-d", help="The database; by default the endpoint's own.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print rows as CSV.")] = False,
) -> None:
    """Run SQL with the environment's administrative login; several statements run as one transaction."""
    place = _place(read_environment(environment), server)
    try:
        with _connect(place, database) as connected:
            cursor = connected.execute((statements or sys.stdin.read()).encode())
            while True:
                _show(cursor, as_csv)
                if not cursor.nextset():
                    break
    except psycopg.Error as error:
        err.print(f"[red]{escape(str(error).strip())}[/]")
        raise typer.Exit(1) from None


def _place(environment: Environment, server: str) -> SourceDatabase | AnalyticsDatabase:
    return environment.analytics if server == _ANALYTICS else environment.source(server)


def _connect(place: SourceDatabase | AnalyticsDatabase, database: str) -> psycopg.Connection:
    login = place.admin
    return psycopg.connect(
        host=place.host, port=place.port, dbname=database or place.database or "postgres", user=login.user,
        password=login.password.reveal(), autocommit=True, connect_timeout=_CONNECT,
    )  # fmt: skip


def _show(cursor: psycopg.Cursor, as_csv: bool) -> None:
    if cursor.description is None:
        err.print(cursor.statusmessage)
        return
    names, rows = [column.name for column in cursor.description], cursor.fetchall()
    if as_csv:
        csv.writer(sys.stdout).writerows([names, *rows])
        return
    table = Table(*map(escape, names), box=None, header_style="dim")
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row))
    out.print(table)
