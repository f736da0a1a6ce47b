"""One of the platform's PostgreSQL clusters, or its Kafka, by itself, for tests: set up as a start does it, and gone afterwards."""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
from tenacity import retry, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from infra import artefacts, configuration, credentials, databases, environments, programs, readiness
from infra.errors import PlatformError
from infra.platform import PORTS, Platform
from infra.start import format_kafka

ROOT = Path(__file__).parents[2]


@contextmanager
def throwaway_cluster(folder: Path, name: str) -> Iterator[Platform]:
    """A platform of which only the cluster `name` (source or analytics) runs, at a port that was free."""
    platform = Platform(ROOT, folder, free_port() - PORTS[f"postgres {name}"])
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


@contextmanager
def throwaway_broker(folder: Path, settings: str = "") -> Iterator[Platform]:
    """A platform of which only Kafka runs, at a port that was free. In more settings {kafka} and {controller} are its addresses."""
    environments.ensure("headrace")  # its Java
    platform = Platform(ROOT, folder, free_port(PORTS["kafka controller"] - PORTS["kafka"]) - PORTS["kafka"])
    artefacts.fetch(artefact for artefact in artefacts.of_this_machine(artefacts.read_lock()) if artefact.folder == "kafka")
    for part in (platform.logs, platform.scratch):
        part.mkdir(parents=True)
    configuration.write_all(platform, ())
    with configuration.path(platform, "kafka.properties").open("a") as file:
        file.write("\n" + settings.format(kafka=platform.address("kafka"), controller=platform.address("kafka controller")))
    format_kafka(platform)
    [program] = [program for program in programs.all_programs(platform, ()) if program.name == "kafka"]
    with (platform.logs / "kafka.log").open("w") as log:
        process = subprocess.Popen(program.command, stdout=log, stderr=log)
    try:
        _wait_for_kafka(platform, process)
        yield platform
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(30)


@retry(retry=retry_if_result(lambda ready: not ready), stop=stop_after_delay(120), wait=wait_fixed(0.1))
def _wait_for_kafka(platform: Platform, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise PlatformError(f"Kafka ended:\n{(platform.logs / 'kafka.log').read_text()[-3000:]}")
    return readiness.is_ready(platform, "kafka")


def free_port(*beside: int) -> int:
    """A port that nobody has, nor those at these distances from it."""
    while True:
        with ExitStack() as taken:
            port = taken.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            with suppress(OSError):
                for distance in beside:
                    taken.enter_context(socket.create_server(("127.0.0.1", port + distance)))
                return port
