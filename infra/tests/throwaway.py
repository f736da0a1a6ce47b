"""One of the platform's PostgreSQL clusters by itself, for tests: set up as a start does it, and gone afterwards."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from infra import artefacts, credentials, databases, programs
from infra.platform import PORTS, Platform

ROOT = Path(__file__).parents[2]


@contextmanager
def throwaway_cluster(folder: Path, name: str) -> Iterator[Platform]:
    """A platform of which only the cluster `name` (source or analytics) runs, at a port that was free."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        base = server.getsockname()[1] - PORTS[f"postgres {name}"]
    platform = Platform(ROOT, folder, base)
    artefacts.fetch(artefact for artefact in artefacts.of_this_machine(artefacts.read_lock()) if artefact.folder.startswith("postgres-"))
    artefacts.unpack_postgres(platform.postgres_programs)
    credentials.generate(platform)
    for part in (platform.logs, platform.scratch):
        part.mkdir()
    databases.create_cluster(platform, name)
    process = start_cluster(platform, name)
    try:
        _ensure_roles(platform, name)
        yield platform
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(30)
        shutil.rmtree(platform.shelter or platform.state)


def start_cluster(platform: Platform, name: str) -> subprocess.Popen[bytes]:
    """Start the server. Nothing of it outlives the tests, so nothing need reach the disk."""
    [program] = [program for program in programs.all_programs(platform, []) if program.name == f"postgres-{name}"]
    with (platform.logs / f"{name}.log").open("a") as log:
        return subprocess.Popen([*program.command, "-c", "fsync=off"], user=program.user, cwd="/", stdout=log, stderr=log)


@retry(retry=retry_if_exception_type(psycopg.OperationalError), stop=stop_after_delay(30), wait=wait_fixed(0.1), reraise=True)
def _ensure_roles(platform: Platform, name: str) -> None:
    databases.ensure_roles(platform, name)
