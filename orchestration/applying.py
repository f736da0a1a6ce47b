"""Running the job `apply` for a person or a machine: each change as it is made, and every failure."""

import json
from collections.abc import Iterable
from dataclasses import asdict, replace

import typer
from rich.console import Console
from rich.markup import escape

from orchestration.catalogue import Catalogue
from orchestration.pages import refresh_pages
from orchestration.reconcile import Action, Change
from orchestration.runs import run_job

_SIGNS = {
    Action.CREATE: "[green]+[/]", Action.UPDATE: "[yellow]~[/]", Action.RESTART: "[yellow]±[/]", Action.REPLACE: "[red]±[/]",
    Action.NONE: "[dim]=[/]",
}  # fmt: skip
out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)


def apply_project(catalogue: Catalogue, only: tuple[str, ...] = (), as_json: bool = False) -> None:
    """Apply all or some resources; leaves the command with 1 if anything failed."""
    changes: list[Change] = []

    def report(change: Change) -> None:
        changes.append(change)
        if not as_json and change.action is not Action.NONE:
            out.print(f"  [green]{change.action.done}[/] {change.resource.id}")

    outcome = run_job(replace(catalogue, report=report), "apply", selection=only)
    done = [change for change in changes if change.action is not Action.NONE]
    unchanged = len(changes) - len(done)
    if as_json:
        body = {"run": outcome.run_id, "changes": list(map(change_as_json, done)), "unchanged": unchanged, "problems": outcome.problems}
        print(json.dumps(body, indent=2, default=str))
    # What was done is done, whatever failed behind it; also by an apply before, which was broken off.
    tell_sensors(catalogue)
    fail_on(outcome.problems or (() if outcome.success else (f"run {outcome.run_id} failed; look at it in Dagster",)))
    if not as_json:
        out.print(f"{len(done)} changed, {unchanged} unchanged")


def tell_sensors(catalogue: Catalogue) -> None:
    """Those that know the old specs would leave alone what is new, call what is gone drift, and submit a removed job again."""
    if trouble := refresh_pages(catalogue):
        err.print(f"[yellow]{escape(trouble)}[/]")


def fail_on(problems: Iterable[str]) -> None:
    """Print problems, and leave the command with 1 if there are any."""
    found = list(problems)
    for problem in found:
        err.print(f"[red]{escape(problem)}[/]")
    if found:
        raise typer.Exit(1)


def print_change(change: Change) -> None:
    """One planned change with its differences."""
    sign = _SIGNS[change.action]
    out.print(f"{sign} {change.action} [bold]{change.resource.id}[/]  [dim]{change.resource.declared_at}[/]")
    for difference in change.differences:
        out.print(f"    {difference}", markup=False)
    if change.refusal:
        out.print(f"    [red]refused: {escape(change.refusal)}[/]")
    if change.note:
        out.print(f"    {change.note}", markup=False)
    for risk in change.risks:
        out.print(f"    [yellow]! {escape(risk)}[/]")


def change_as_json(change: Change) -> dict[str, object]:
    return {
        "id": change.resource.id,
        "action": change.action,
        "declared_at": str(change.resource.declared_at),
        "differences": [asdict(one) | ({"observed": "another"} if one.secret and one.observed else {}) for one in change.differences],
        "refusal": change.refusal,
        "note": change.note,
        "risks": change.risks,
    }
