"""The command that takes events over HTTP."""

import logging
import sys
from typing import Annotated

import typer

from orchestration.options import Endpoints, Folder
from project.environment import read_environment
from project.loader import load_project
from project.resources import Refused


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(epilog="Example: headrace ingest -p examples/cars --port 9081")(ingest)


def ingest(
    project: Folder, environment: Endpoints,
    host: Annotated[str, typer.Option(help="The address to listen at. Who reaches it can write events.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens.")] = 9081,
) -> None:  # fmt: skip
    """Take events over HTTP and write them into the project's outbox, until stopped. Several may share the work."""
    from ingestion.api import serve

    loaded, place = load_project(project), read_environment(environment)
    if not loaded.ingesting:
        raise Refused(f"no source of {loaded.name} takes events over HTTP; say `ingestion: strict` of an outbox in sources/")
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    serve(loaded, loaded.ingesting[0], place, host, port)
