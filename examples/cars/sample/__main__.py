"""Something to look at: the dealership's database (`prepare`), business that goes on (`trade`), and much of it (`load`)."""

import logging
import signal
import sys
from pathlib import Path
from random import Random
from typing import Annotated

import psycopg
import typer

# Runs from a checkout as it is: what reads environment files is three folders up.
sys.path.append(str(Path(__file__).parents[3]))

import dealership
import load_command
import opening
from latency import LoadError
from project.problems import ProjectError
from project.resources import Refused
from trade import Business

app = typer.Typer(help=__doc__, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def prepare() -> None:
    """Create the database, unless that was done before."""
    opening.prepare(dealership.chosen_environment())


@app.command()
def trade(
    rate: Annotated[float, typer.Option(min=0.01, help="Events per second.")] = 2,
    seconds: Annotated[float | None, typer.Option(min=0, help="How long; until stopped if left out.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides what happens; another each time if left out.")] = None,
) -> None:
    """Let cars, loans, payments and services happen. Stops cleanly on SIGTERM and Ctrl-C."""
    business = Business(dealership.chosen_environment(), rate, Random(seed))  # noqa: S311 - trade, no secret
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: business.close())
    business.go_on(seconds)


load_command.register(app)


def main() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    try:
        app()
    except (ProjectError, LoadError, Refused) as error:
        sys.exit(str(error))
    except psycopg.errors.UndefinedTable:
        sys.exit("the database is empty; run `prepare` first")
    except psycopg.OperationalError as error:
        sys.exit(f"the dealership's database does not answer: {error}; start the platform, or run `prepare` if it has no such database")


main()
