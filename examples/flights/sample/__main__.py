"""Something to look at: the operations database of 2013 (`prepare`), and the year's flights going through it (`trade`)."""

import logging
import signal
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import psycopg
import typer

# Runs from a checkout as it is: what reads environment files is three folders up.
sys.path.append(str(Path(__file__).parents[3]))

import opening
import operations
from infra.errors import PlatformError
from project.environment import EndpointError
from replay import Replay, ReplayError

app = typer.Typer(help=__doc__, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
_FIRST, _LAST = date(2013, 1, 1), date(2013, 12, 31)


def _day(text: str) -> date:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise typer.BadParameter(f'"{text}" is not a day; expected one such as 2013-03-01') from None
    if not _FIRST <= day <= _LAST:
        raise typer.BadParameter(f"{day} is not in the data; expected a day from {_FIRST} to {_LAST}")
    return day


@app.command()
def prepare() -> None:
    """Create the database with all but flights, unless that was done before."""
    opening.prepare(operations.chosen_environment())


@app.command()
def trade(
    speed: Annotated[float, typer.Option(min=0.1, max=1_000_000, help="Simulated seconds per second.")] = 60,
    bulk: Annotated[bool, typer.Option("--bulk", help="As fast as the database takes it.")] = False,
    start: Annotated[date | None, typer.Option("--from", parser=_day, metavar="DAY", help="First day, before any event.")] = None,
    end: Annotated[date | None, typer.Option("--to", parser=_day, metavar="DAY", help="Last day; the year's if left out.")] = None,
) -> None:
    """Let flights be scheduled, depart, arrive and be cancelled, from where it stood. Stops cleanly on SIGTERM and Ctrl-C."""
    if start and end and start > end:
        raise typer.BadParameter(f"--from {start} is after --to {end}; expected the earlier day first; exchange them")
    replay = Replay(operations.chosen_environment(), None if bulk else speed, start, end)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: replay.close())
    replay.play()
    if not bulk and end is None:  # the platform would start a sample again that ends by itself
        replay.wait()


def main() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    try:
        app()
    except (EndpointError, PlatformError, ReplayError) as error:
        sys.exit(str(error))
    except psycopg.errors.UndefinedTable:
        sys.exit("the database is empty; run `prepare` first")
    except psycopg.OperationalError as error:
        sys.exit(f"the operations database does not answer: {error}; start the platform, or run `prepare` if it has no such database")


main()
