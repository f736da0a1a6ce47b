"""The command `load`: what it is asked for, and how it tells what it found."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Annotated, Any

import click
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

import dealership
from accounts import percentile
from load import MODES, Course, Outcome, Show
from sending import address_of
from sizes import SIZES
from writing import Load

out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)
_UNITS = {"s": 1, "m": 60, "h": 3600}
_USERS, _SECONDS = 10, 30.0  # where nothing is said
_HEADS, _WIDTH = ("expected", "came", "missing", "twice", "p50", "p95", "p99"), 11


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: headrace load cars --vus 20 --rate 500 --size 400b --duration 1m")(load)


def _duration(text: str) -> float:
    if not (found := re.fullmatch(r"0*([1-9]\d{0,6})([smh])", text)):
        raise typer.BadParameter(f'"{text}" is no duration; expected one such as 30s, 5m or 1h')
    return float(found[1]) * _UNITS[found[2]]


def load(
    vus: Annotated[int | None, typer.Option(min=1, max=100_000, help=f"Virtual users; {_USERS} if left out.")] = None,
    duration: Annotated[
        float | None, typer.Option(parser=_duration, metavar="TIME", help="How long they write: 30s (if left out), 5m, 1h.")
    ] = None,
    rate: Annotated[float | None, typer.Option(min=0.01, help="Events per second of all users; as fast as it goes if left out.")] = None,
    size: Annotated[str, typer.Option(click_type=click.Choice([*SIZES]), help="Of an event.")] = "4k",
    mode: Annotated[
        str | None,
        typer.Option(
            click_type=click.Choice([*MODES]),
            help="smoke: 5 transactions. full: 10, 50, 100 and 200 users for 2, 2, 2 and 5 minutes. saturation: 10 to 2000 users, "
            "2 minutes each, until more of them write no more.",
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=10_000, help="Events of one transaction.")] = 1,
    address: Annotated[
        str | None,
        typer.Option(parser=address_of, metavar="URL", help="Send each event to the ingestion that `headrace status` shows there."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Write events as the dealership's programs do, into its database or over HTTP, and tell how they came to their consumers, and how
    long after their commits. Ends with 1 if one did not come, was not taken or answered late, or fewer were written than asked for."""
    if address and batch > 1:
        raise typer.BadParameter("an address takes one event at a time; leave out --batch, or --address")
    loads = [replace(one, size=SIZES[size], rate=rate, batch=batch, address=address) for one in _loads(vus, duration, rate, mode)]
    outcomes = list[Outcome]()
    with _shown() as show:
        for outcome in Course(dealership.chosen_environment(), dealership.project(), show).run(loads, until_saturated=mode == "saturation"):
            outcomes.append(outcome)
            if not as_json:
                _print(outcome)
    left = len(loads) - len(outcomes)
    if as_json:
        print(json.dumps({"loads": [_told(one) for one in outcomes], "left_out": left}, indent=2))
    elif left:
        why = f"{outcomes[-1].load.users:,} users wrote hardly more than fewer had written" if mode == "saturation" else "stopped"
        out.print(f"{why}: without the last {left} of {len(loads)} steps")
    raise typer.Exit(1 if any(one.shortcomings for one in outcomes) else 0)


def _loads(vus: int | None, duration: float | None, rate: float | None, mode: str | None) -> tuple[Load, ...]:
    if mode is None:
        return (Load(vus or _USERS, duration or _SECONDS),)
    surplus = {"--vus": vus, "--duration": duration, "--rate": rate if mode == "saturation" else None}
    if named := " and ".join(name for name, value in surplus.items() if value is not None):
        raise typer.BadParameter(f"mode {mode} says itself how many write, how long and how fast; leave out {named}, or the mode")
    return MODES[mode]


@contextmanager
def _shown() -> Iterator[Show]:
    """What goes on, for who looks at a terminal."""
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), console=err, transient=True, disable=not err.is_terminal) as live:
        task = live.add_task("connecting", total=None)

        def show(load: Load, seconds: float, written: int) -> None:
            rate = f"{written / seconds:,.0f} events/s" if seconds > 1 else ""
            live.update(task, description=f"{load.users:,} users, {seconds:.0f} of {load.seconds:.0f} s: {written:,} events, {rate}")

        yield show


def _print(outcome: Outcome) -> None:
    load, [raw, *_] = outcome.load, outcome.accounts
    users = "1 user" if load.users == 1 else f"{load.users:,} users"
    what, begin = ("answer", "an answer") if load.address else ("commit", "a commit's return")
    sharing = f" sharing {load.connections} connections" if load.users > load.connections else ""
    in_one = f", {load.batch} in a transaction" if load.batch > 1 else ""
    asked = f" of {load.rate:,.0f} asked for" if load.rate else ""
    of = f" of {load.seconds:.0f}" if load.transactions is None else ""  # less if somebody has stopped it
    out.print(f"[bold]{users}{sharing}, {outcome.seconds:.1f}{of} s:[/] {raw.expected:,} events of {load.size:,} bytes{in_one}")
    out.print(f"{outcome.rate:,.0f} events/s{asked}; the last one came {outcome.behind:.2f} s after the last {what}")
    if outcome.waited:
        out.print(f"milliseconds until {begin}: {', '.join(f'p{cut} {wait:,.1f}' for cut, wait in _waits(outcome).items())}")
    widest = max(len(one.topic) for one in outcome.accounts)
    out.print(f"[dim]{'topic':{widest}}{''.join(f'{head:>{_WIDTH}}' for head in _HEADS)}[/]")
    for one in outcome.accounts:
        counts = (f"{count:,}" for count in (one.expected, one.received, one.missing, one.twice))
        cuts = ("" if cut is None else f"{cut:,.1f}" for cut in (one.p50, one.p95, one.p99))
        out.print(f"{one.topic:{widest}}{''.join(f'{cell:>{_WIDTH}}' for cell in (*counts, *cuts))}")
    out.print(f"[dim]Milliseconds from {begin} until a consumer had the event; of {raw.topic}, until Kafka had it.[/]")
    for shortcoming in outcome.shortcomings:
        out.print(f"[red]{shortcoming}[/]")


def _waits(outcome: Outcome) -> dict[int, float]:
    """Percentiles of the milliseconds until a commit returned or an answer came, by their per cent."""
    cuts = ((cut, percentile(outcome.waited, cut / 100)) for cut in (50, 95, 99))
    return {cut: round(wait, 2) for cut, wait in cuts if wait is not None}


def _told(outcome: Outcome) -> dict[str, Any]:
    load = outcome.load
    return {
        "users": load.users, "connections": load.connections, "size": load.size, "batch": load.batch, "asked": load.rate,
        "seconds": round(outcome.seconds, 3), "written": outcome.accounts[0].expected, "rate": round(outcome.rate, 1),
        "behind": round(outcome.behind, 3),
        "waited": {f"p{cut}": milliseconds for cut, milliseconds in _waits(outcome).items()}, "not_taken": len(outcome.not_taken),
        "topics": [asdict(one) for one in outcome.accounts], "shortcomings": outcome.shortcomings,
    }  # fmt: skip
