"""The command that runs a consumer."""

import logging
import signal
import sys
from typing import Annotated

import typer
from rich.console import Console

from orchestration.options import Endpoints, Folder
from project.environment import read_environment
from project.loader import load_project
from project.problems import listed, suggestion
from project.resources import Refused

err = Console(stderr=True, highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: headrace consume loan-consumer -p examples/cars")(consume)


def consume(
    name: Annotated[str, typer.Argument(help="A consumer of the project.", metavar="CONSUMER")], project: Folder, environment: Endpoints
) -> None:
    """Receive a consumer's events and write them into the table `received_events`, until stopped. Several may share the work."""
    from consumers.loop import Ended, Loop
    from consumers.receiving import ReceivedEvents

    loaded, place = load_project(project), read_environment(environment)
    if name not in loaded.consumers:
        err.print(f"[red]no consumer is called {name}; {suggestion(name, loaded.consumers, f'there is {listed(loaded.consumers)}')}[/]")
        raise typer.Exit(2)
    one = loaded.consumers[name]
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    handler = ReceivedEvents(place.analytics, loaded.schema_, name, one.days)
    loop = Loop(place.kafka.bootstrap_servers, loaded.consumer_group(one), loaded.received_topics(one), handler)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.close())
    try:
        loop.run()
    except Ended as ended:
        raise Refused(str(ended)) from ended
