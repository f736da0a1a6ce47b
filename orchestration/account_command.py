"""The command that looks at every record once more."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from orchestration.dead_letters_command import Json, err, opened, out
from orchestration.options import Endpoints, Folder

if TYPE_CHECKING:
    from orchestration.accounts import Account
    from orchestration.filter_accounts import FilterAccount

_COUNTS = ("events", "matched", "rejected", "set_aside", "lost", "of_other_versions", "not_judged", "repeated", "surplus")
Since = Annotated[
    datetime | None,
    typer.Option(help="When the filters as they run now began to judge (UTC); by default where each version is first seen to have."),
]


def register(commands: typer.Typer) -> None:
    """Add the command to those over dead letters."""
    commands.command(epilog="Example: headrace dead-letters account --since 2026-05-01T06:00:00")(account)


def account(project: Folder, environment: Endpoints, since: Since = None, as_json: Json = False) -> None:
    """Look at every record that a stream has passed and Kafka still holds: each was read or is set aside, and each event stands in the
    topics that its filters send it to, and in no other; ends with 1 if one does not."""
    from orchestration.accounts import Account, accounts

    with err.status("reading all topics"):
        found = list(accounts(opened(project, environment), None if since is None else round(since.replace(tzinfo=UTC).timestamp() * 1000)))
    of_topics = [one for one in found if isinstance(one, Account)]
    of_filters = [one for one in found if not isinstance(one, Account)]
    if as_json:
        print(json.dumps([asdict(one) for one in of_topics] + [asdict(one) | {"events": one.events} for one in of_filters], indent=2))
    else:
        _show_topics(of_topics)
        _show_filters(of_filters)
    raise typer.Exit(1 if any(one.lost for one in found) or any(one.surplus for one in of_filters) else 0)


def _show_topics(found: "Sequence[Account]") -> None:
    if found:
        _show(("topic",), ("records", "read", "set aside", "lost"), [(a.topic, a.records, a.read, a.set_aside, len(a.lost)) for a in found])
    for place in (place for one in found for place in one.lost):
        out.print(f"[red]{place} was passed, though nobody can read it, and was not set aside; `headrace verify` finds its row[/]")


def _show_filters(found: "Sequence[FilterAccount]") -> None:
    if found:
        rows = [(f"{a.filter or 'none'}, version {a.version}", *(getattr(a, name) for name in _COUNTS)) for a in found]
        _show(("filter",), [name.replace("_", " ") for name in _COUNTS], rows)
    for one in found:
        if one.not_judged:
            said = f"{one.not_judged:,} events stand before the first that {one.filter}, version {one.version}, has judged"
            out.print(f"[yellow]{said}, and are not judged here; --since judges from another time on[/]")
        for said in one.places:
            out.print(f"[red]{escape(said)}[/]")


def _show(names: Sequence[str], numbers: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
    table = Table(*names, *(Column(name, justify="right") for name in numbers), box=None, header_style="dim")
    for row in rows:
        table.add_row(*(f"{one:,}" if isinstance(one, int) else one for one in row))
    out.print(table)
