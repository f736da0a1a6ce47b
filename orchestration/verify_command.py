"""The command that proves that what analysts see is the source's."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.options import Endpoints, Folder
from orchestration.places import use_dagster_home
from project.environment import read_environment
from project.loader import load_project
from project.resources import Health, Refused, State

if TYPE_CHECKING:
    from orchestration.catalogue import Catalogue
    from orchestration.certificates import Certificate, Difference, Row
    from orchestration.view_verifying import ViewCertificate

out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)
_SHOWN = 20  # differences of a table
_NO_TABLES = "no stream of this project mirrors a table; what became of each event says `headrace dead-letters account`"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: headrace verify fact_orders dim_books")(verify)


def verify(
    project: Folder, environment: Endpoints,
    tables: Annotated[list[str] | None, typer.Argument(help="Analytics tables; all by default.")] = None,
    heal: Annotated[bool, typer.Option("--heal", help="Read the rows that differ again from their source, and compare once more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines, with every difference.")] = False,
) -> None:  # fmt: skip
    """Compare the mirrored tables with their sources, row by row, while both go on changing; where no table is named, also the views,
    with what they would be over the sources' rows, and the proven numbers on dashboards. Ends with 1 if something differs, or could not
    be compared."""
    loaded, endpoints = load_project(project), read_environment(environment)
    if unknown := [table for table in tables or [] if table not in loaded.target_tables]:
        known = f"the project's tables are {', '.join(loaded.target_tables)}" if loaded.target_tables else _NO_TABLES
        err.print(f"[red]no stream writes {', '.join(unknown)}; {known}[/]")
        raise typer.Exit(2)
    if not loaded.target_tables:
        err.print(_NO_TABLES)
    from orchestration.catalogue import build_catalogue

    use_dagster_home(environment)
    catalogue = build_catalogue(loaded, endpoints)
    refused: dict[str, str] = {}  # what could not be compared or healed, and why
    certificates = list(_certificates(catalogue, tables or list(loaded.target_tables), as_json, refused))
    if heal:
        certificates = [_healed(catalogue, certificate, as_json, refused) for certificate in certificates]
    views = [] if tables else list(_views(catalogue, as_json, refused))
    proven = [] if tables else list(_numbers(catalogue, as_json))
    if as_json:
        shown = [{"chart": chart, "state": str(health.state), "text": health.text} for chart, health in proven]
        found = {"tables": list(map(asdict, certificates)), "views": list(map(asdict, views)), "numbers": shown, "refused": refused}
        print(json.dumps(found, indent=2, default=str))
    differs = any(certificate.differences for certificate in certificates) or any(view.missing or view.extra for view in views)
    raise typer.Exit(1 if differs or refused or any(health.state is State.FAILED for _, health in proven) else 0)


@contextmanager
def _refusals(refused: dict[str, str], name: str, what: str = "not compared") -> Iterator[None]:
    """A refusal is told, and keeps nothing else from being compared."""
    try:
        yield
    except Refused as error:
        refused[name] = str(error)
        err.print(f"[yellow]{what}[/] [bold]{name}[/]: {escape(str(error))}")


def _certificates(catalogue: "Catalogue", tables: list[str], as_json: bool, refused: dict[str, str]) -> "Iterator[Certificate]":
    """Each certificate, told when it is there: a large table takes its time."""
    from orchestration.fencing import Behind

    behind: dict[str, Behind] = {}  # streams that stand still: nobody waits for one again with its next table
    for table in tables:
        stream, _ = catalogue.project.target_tables[table]
        with _refusals(refused, table):
            if stream.name in behind:
                raise behind[stream.name]
            try:
                yield _compared(catalogue, table, as_json)
            except Behind as error:
                behind[stream.name] = error
                raise


def _compared(catalogue: "Catalogue", table: str, as_json: bool) -> "Certificate":
    from orchestration.ledger import clear
    from orchestration.verifying import verify as compare

    with err.status(f"comparing {table}"):
        certificate = compare(catalogue, table)
    clear(catalogue, certificate)
    if not as_json:
        _tell(certificate)
    return certificate


def _healed(catalogue: "Catalogue", certificate: "Certificate", as_json: bool, refused: dict[str, str]) -> "Certificate":
    """Compared once more at its end; of very many differences again and again, as only so many are looked for at once."""
    from orchestration.mending import mend

    with _refusals(refused, certificate.table, "not healed"):
        while certificate.differences:
            with err.status(f"reading {len(certificate.differences)} rows of {certificate.table} again"):
                mend(catalogue, certificate.table, certificate.differences)
            before, certificate = certificate, _compared(catalogue, certificate.table, as_json)
            if before.complete:
                break
    return certificate


def _views(catalogue: "Catalogue", as_json: bool, refused: dict[str, str]) -> "Iterator[ViewCertificate]":
    """Those over a table that was not compared would only wait for its stream as well."""
    from orchestration.view_verifying import of_the_chain, reading, verify_views

    chain, over = of_the_chain(catalogue), reading(catalogue, refused)
    for view in sorted(over.keys() - chain):
        with _refusals(refused, view):
            raise Refused(f"it reads {over[view]}, see there")
    with _refusals(refused, "the views"), err.status("comparing views"):
        for certificate in verify_views(catalogue, over):
            if not as_json:
                _tell_view(certificate)
            yield certificate
    if not as_json and chain:
        out.print(f"[dim]not compared, as they tell of the chain itself: {', '.join(sorted(chain))}[/]")


def _tell_view(certificate: "ViewCertificate") -> None:
    said = "[red]differs[/]" if certificate.missing or certificate.extra else "[green]equal[/]"
    at, cost = f"{certificate.at:%H:%M:%S} UTC", f"compared in {certificate.seconds:.1f} s"
    out.print(f"{said} [bold]{certificate.view}[/] with the sources' own rows: {certificate.rows:,} rows, as of {at}; {cost}")
    for what, rows in (("lacks", certificate.missing), ("shows wrongly", certificate.extra)):
        for row in rows:
            out.print(f"  {what} {escape(row)}")


def _numbers(catalogue: "Catalogue", as_json: bool) -> Iterator[tuple[str, Health]]:
    from orchestration.verifying import numbers

    with err.status("comparing numbers on dashboards"):
        for chart, health in numbers(catalogue):
            if not as_json:
                colour = {State.PASSED: "green", State.FAILED: "red"}.get(health.state, "yellow")
                out.print(f"[{colour}]{'equal' if health.state is State.PASSED else health.state}[/] {escape(health.text)}")
            yield chart, health


def _tell(certificate: "Certificate") -> None:
    number = len(certificate.differences)
    said = f"[red]{certificate.count} rows differ[/]" if number else "[green]equal[/]"
    restless = len(certificate.not_compared)
    changing = f"[yellow], {restless} of them kept changing and were not compared[/]" if restless else ""
    at, cost = f"{certificate.at:%H:%M:%S} UTC", f"{certificate.behind:.2f} s behind, compared in {certificate.seconds:.1f} s"
    out.print(
        f"{said} [bold]{certificate.table}[/] with {certificate.source}: {certificate.rows:,} rows{changing}, "
        f"as of {certificate.position}, {at}; {cost}"
    )
    for difference in certificate.differences[:_SHOWN]:
        _show(difference)
    if number > _SHOWN:
        out.print(f"  … and {number - _SHOWN} more; --json has them all")


def _show(difference: "Difference") -> None:
    """Where a row is on both sides, only what differs."""
    sides: dict[str, Row | None] = {"source": difference.source, "analytics": difference.analytics}
    rows = [row for row in sides.values() if row is not None]
    columns = [column for column in rows[0] if len(rows) == 1 or rows[0][column] != rows[1][column]]
    table = Table(
        "", *map(escape, columns), title=f"key {escape(', '.join(difference.key))}", title_justify="left", box=None, header_style="dim"
    )
    for side, row in sides.items():
        cells = ["no such row"] if row is None else [_cell(row[column]) for column in columns]
        table.add_row(side, *cells)
    out.print(table)


def _cell(value: Any) -> str:
    return "[dim]null[/]" if value is None else escape(value)
