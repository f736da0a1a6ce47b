"""The commands over filters."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from orchestration.options import Endpoints, Folder, named
from project.environment import read_environment
from project.filters.differences import in_words
from project.loader import load_project
from project.resources import Refused

if TYPE_CHECKING:
    from orchestration.catalogue import Catalogue
    from project.filter_changes import FilterChange
    from project.filters.models import Filter
    from project.filters.samples import Tried
    from project.models import Project, Stream

FilterId = Annotated[str, typer.Argument(help="The filter's id, in one of the project's streams.", metavar="FILTER")]
out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)
commands = typer.Typer(no_args_is_help=True, help="Filters as code: which events of a stream a consumer gets.")


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.add_typer(commands, name="filters")


@commands.command("test", epilog="Example: headrace filters test filters.yaml --explain")
def test_samples(
    file: Annotated[Path, typer.Argument(help="A file of filters with their samples.", metavar="FILE")],
    explain: Annotated[bool, typer.Option("--explain", help="Say of right verdicts as well why they are so.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Judge every sample of every filter; ends with 1 if one is not judged as its author says. Needs no running platform."""
    from project.filters.reading import read_filters
    from project.filters.samples import try_samples

    found = read_filters(file)
    tried = list(try_samples(found.filters, found.mandatory))
    if as_json:
        print(json.dumps([_told(one) for one in tried], indent=2))
    else:
        for one in tried:
            _show(one, explain)
        wrong, untried = sum(not one.right for one in tried), [one.id for one in found.filters if not one.samples]
        out.print(f"{len(tried)} samples of {len(found.filters)} filters, {wrong} judged otherwise than their authors say")
        if untried:
            out.print(f"[yellow]without samples: {', '.join(untried)}[/]")
    raise typer.Exit(0 if all(one.right for one in tried) else 1)


def _show(one: "Tried", explain: bool) -> None:
    expected = "" if one.right else f", expected {one.wanted}"
    out.print(f"[{'green]✓' if one.right else 'red]✗'}[/] {escape(str(one.sample.declared_at))} {one.filter.id}: {one.became}{expected}")
    if explain or not one.right:
        for line in one.verdict.lines("    "):
            out.print(f"[dim]{escape(line)}[/]")


def _told(one: "Tried") -> dict[str, object]:
    return {
        "filter": one.filter.id, "declared_at": str(one.sample.declared_at), "right": one.right, "topics": one.topics,
        "expected": one.expected, "set_aside": one.aside, "why": list(one.verdict.lines()),
    }  # fmt: skip


@commands.command("try", epilog="Example: headrace filters try high-value-loan-filter --last 10000")
def try_events(
    name: FilterId, project: Folder, environment: Endpoints,
    last: Annotated[int, typer.Option(min=1, max=500_000, help="Over how many events, the newest ones.")] = 1000,
    events: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Of a file instead, one in each line; needs no running platform.")
    ] = None,
    shown: Annotated[int | None, typer.Option(min=0, help="Examples of each outcome; 2, but all of a file's, if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:  # fmt: skip
    """Judge events by a filter as it is written now, whether it runs or not. Nothing is sent anywhere."""
    from orchestration.catalogue import build_catalogue
    from orchestration.trying import judge_file, judge_latest

    loaded = load_project(project)
    stream, one = _known(loaded, name)
    if events:
        found = judge_file(stream, one, events, time())
    else:
        with err.status(f"reading {last} events"):
            found = judge_latest(build_catalogue(loaded, read_environment(environment)), stream, one, last)
        shown = 2 if shown is None else shown
    if as_json and events:
        print(json.dumps([{"outcome": became, **asdict(event)} for became, judged in found.items() for event in judged], indent=2))
        return
    if as_json:
        print(json.dumps({outcome: len(judged) for outcome, judged in found.items()}, indent=2))
        return
    for outcome, judged in found.items():
        out.print(f"[bold]{len(judged):>7}[/] {outcome}")
        for event in judged[:shown]:
            out.print(f"        [dim]{escape(event.place)}: {escape(event.event)}[/]")
            for line in event.why:
                out.print(f"        [dim]  {escape(line)}[/]")


def _known(project: "Project", name: str) -> "tuple[Stream, Filter]":
    """A filter and its stream; leaves the command with 2 if there is none."""
    return named(name, {one.id: (stream, one) for stream, one in project.filters}, "filter")


@commands.command(epilog="Example: git worktree add base origin/main && headrace filters diff base/shop -p shop")
def diff(
    base: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The project's folder as it was before.", metavar="BASE")],
    project: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """What changes for whom since another state of the project, as Markdown: in words, and each sample event of which something else
    becomes. Needs no running platform."""
    from project.filter_changes import filter_changes

    found = list(filter_changes(load_project(base), load_project(project)))
    if as_json:
        print(json.dumps([_compared(one) for one in found], indent=2))
        return
    for one in found:
        print(f"- {one.says}")
        for moved in one.moved:
            print(f"  - sample {moved.sample.declared_at}: {moved.before} → **{moved.after}**")
    if not found:
        print("Every filter that runs is as it was.")


def _compared(one: "FilterChange") -> dict[str, object]:
    moved = [{"declared_at": str(each.sample.declared_at), "before": each.before, "after": each.after} for each in one.moved]
    return {"filter": one.filter, "says": one.says, "samples": moved}


@commands.command("list", epilog="Example: headrace filters list --all")
def list_filters(
    project: Folder, environment: Endpoints,
    everything: Annotated[bool, typer.Option("--all", help="Also versions that have ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:  # fmt: skip
    """What became of the events of each filter since its version began: judged = matched + rejected + set aside."""
    from orchestration.catalogue import build_catalogue
    from orchestration.filter_counts import count, counts

    catalogue, found = build_catalogue(load_project(project), read_environment(environment)), list[dict[str, Any]]()
    for job in catalogue.routing:
        with err.status(f"counting {job.name}"):
            count(catalogue, job)
        found += counts(catalogue, catalogue.project.streams[job.name], everything)
    if as_json:
        print(json.dumps(found, indent=2, default=str))
        return
    right = [Column(name, justify="right", no_wrap=True) for name in ("version", "judged", "matched", "rejected", "set aside")]
    when = [Column(name, no_wrap=True) for name in ("last match (UTC)", *(("since (UTC), by", "until (UTC), by") if everything else ()))]
    changed = ["said otherwise (UTC), by"] if everything else []
    table = Table(Column("filter", no_wrap=True), *right, "approved by", *when, *changed, box=None, header_style="dim")
    for row in found:
        numbers = (f"{row[name]:,}" for name in ("judged", "matched", "rejected", "set_aside"))
        changes = "\n".join(map(_change, row.get("changes") or ()))
        since = [_moment(row["began_at"], row["began_by"]), _moment(row["ended_at"], row["ended_by"]), changes] if everything else []
        table.add_row(row["filter_id"], str(row["rule_version"]), *numbers, row["approved_by"] or "", _moment(row["last_match_at"]), *since)
    (out if out.is_terminal else Console(width=160)).print(table)  # a pipe has no edge


def _change(one: dict[str, Any]) -> str:
    """What was said otherwise of a version while it judged."""
    what = in_words({key: value for key, value in one.items() if key not in ("at", "by")})
    return escape(f"{_moment(datetime.fromisoformat(one['at']), one['by'])}: {what}")


def _moment(at: datetime | None, who: str = "") -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} {who or ''}".strip() if at else ""


@commands.command(epilog="Example: headrace filters rollback high-value-loan-filter --to 3 --apply")
def rollback(
    name: FilterId, project: Folder, environment: Endpoints,
    to: Annotated[int | None, typer.Option(min=1, help="The version that it is to say again; the one before if left out.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Let it judge at once.")] = False,
) -> None:  # fmt: skip
    """Let a filter say again what an earlier version of it said, as a new version: events tell which one judged them."""
    from orchestration import bring_up, filter_rollback
    from orchestration.catalogue import build_catalogue
    from orchestration.filter_counts import counts
    from orchestration.places import use_dagster_home

    endpoints = read_environment(environment)
    if apply:
        use_dagster_home(environment)  # before the file is written
    catalogue = build_catalogue(load_project(project), endpoints)
    _refuse_gone(catalogue, name, to)
    stream, one = _known(catalogue.project, name)
    new = filter_rollback.earlier(one, counts(catalogue, stream, ended=True), to)
    file = filter_rollback.write(project, one, new)
    out.print(f"{escape(str(file))}: {one.id} is version {new.version} now; look at the difference before you commit it")
    if apply:
        catalogue = build_catalogue(load_project(project), endpoints)
        # The earlier version may have written to other topics.
        topics = [one for one in catalogue.by_id[f"job/{stream.name}"].depends_on if one.startswith("topic/")]
        readers = [one.id for one in catalogue.of_kind("consumer") if set(topics).intersection(one.depends_on)]
        bring_up.apply(catalogue, project, environment, (*topics, f"job/{stream.name}", *readers))
        bring_up.serve(catalogue.project, environment)
    else:
        out.print("`headrace plan` says what that means, `headrace apply` lets it judge")


def _refuse_gone(catalogue: "Catalogue", name: str, to: int | None) -> None:
    """A filter that stands in no file, but has run, has to be written again: says what it said."""
    from orchestration import filter_rollback
    from orchestration.filter_counts import counts

    if any(one.id == name for _, one in catalogue.project.filters):
        return
    for stream in (catalogue.project.streams[job.name] for job in catalogue.routing):
        if block := filter_rollback.gone(name, counts(catalogue, stream, ended=True), to):
            file = stream.declared_at.file
            raise Refused(f"filter {name} has run, and stands in no file; write it again in {file}, then apply:\n{block}")
