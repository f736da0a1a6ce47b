"""The command that runs a consumer."""

import logging
import signal
import sys
from typing import Annotated

import typer

from orchestration.options import Endpoints, Folder, named
from project.environment import read_environment
from project.loader import load_project
from project.resources import Refused


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: headrace consume loan-consumer -p examples/cars")(consume)


def consume(
    name: Annotated[str, typer.Argument(help="A consumer of the project.", metavar="CONSUMER")], project: Folder, environment: Endpoints
) -> None:
    """Receive a consumer's events and write them into the table `received_events`, until stopped. Several may share the work."""
    from consumers.loop import Ended, Loop
    from orchestration.receivers import decoder_of, handler_of

    loaded, place = load_project(project), read_environment(environment)
    one = named(name, loaded.receivers, "consumer")
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    handler, topics = handler_of(loaded, place, one), loaded.received_topics(one)
    loop = Loop(place.kafka.bootstrap_servers, loaded.consumer_group(name), topics, handler, place.kafka.client(), decoder_of(place))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: loop.close())
    try:
        loop.run()
    except Ended as ended:
        raise Refused(str(ended)) from ended
