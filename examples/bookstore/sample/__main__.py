"""Something to look at: the bookstore's two databases with months of orders (`prepare`), and trade that goes on (`trade`)."""

import logging
import signal
import sys
from pathlib import Path
from typing import Annotated

import psycopg
import typer

# Runs from a checkout as it is: what reads environment files is three folders up.
sys.path.append(str(Path(__file__).parents[3]))

import opening
import shop
from market import Market
from project.environment import EndpointError

app = typer.Typer(help=__doc__, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def prepare() -> None:
    """Create both databases and fill them, unless that was done before."""
    opening.prepare(shop.chosen_environment())


@app.command()
def trade(
    rate: Annotated[float, typer.Option(min=0.01, help="Transactions per second.")] = 1.5,
    seconds: Annotated[float | None, typer.Option(min=0, help="How long; until stopped if left out.")] = None,
) -> None:
    """Trade on: orders, payments, shipping, cancellations, restocking, prices. Stops cleanly on SIGTERM and Ctrl-C."""
    market = Market(shop.chosen_environment(), rate)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: market.close())
    market.trade(seconds)


def main() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    try:
        app()
    except EndpointError as error:
        sys.exit(str(error))
    except psycopg.errors.UndefinedTable:
        sys.exit("the databases are empty; run `prepare` first")
    except psycopg.OperationalError as error:
        sys.exit(f"the source databases do not answer: {error}")


main()
