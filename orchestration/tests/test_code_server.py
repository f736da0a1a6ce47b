"""Dagster's code server as the platform runs it: it ends with the server behind it, and goes on where that is exchanged."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from dagster._grpc.client import DagsterGrpcClient

from e2e.waiting import until
from infra import configuration, environments
from infra.platform import HOST, PORTS, Platform
from infra.programs import all_programs
from infra.projects import RunningProject
from infra.readiness import is_ready
from infra.tests.throwaway import ROOT, free_port

_STARTS, _ENDS = 300, 60  # seconds, on a machine that others use


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    environments.ensure("headrace")
    platform = Platform(ROOT, tmp_path, free_port() - PORTS["dagster code"])
    configuration.write(configuration.path(platform, "dagster.yaml"), configuration.render(platform, "dagster.yaml"))
    platform.environment_file.parent.mkdir()
    shutil.copy(Path(__file__).with_name("environment.yaml"), platform.environment_file)
    return platform


@pytest.fixture
def server(platform: Platform) -> Iterator[subprocess.Popen[bytes]]:
    """As it starts to serve the bookstore."""
    running = {program.name: program for program in all_programs(platform, [RunningProject("bookstore", ROOT / "examples" / "bookstore")])}
    program = running["dagster-code"]
    log = (platform.state / "log").open("w")
    server = subprocess.Popen(program.command, env=os.environ | program.environment, cwd=platform.state, stdout=log, stderr=log)
    try:
        yield server
    finally:
        behind = psutil.Process(server.pid).children(recursive=True) if server.poll() is None else []
        server.terminate()
        try:
            server.wait(_ENDS)
        finally:
            for one in (server, *behind):
                with suppress(psutil.NoSuchProcess):
                    one.kill()


def test_it_goes_on_after_a_reload_and_ends_when_the_server_behind_it_is_killed(platform: Platform, server: subprocess.Popen[bytes]):
    until(lambda: is_ready(platform, "dagster-code"), _STARTS, "it answers")
    [first] = psutil.Process(server.pid).children()
    DagsterGrpcClient(platform.port("dagster code"), host=HOST).reload_code(_STARTS)
    first.wait(_ENDS)
    with pytest.raises(subprocess.TimeoutExpired):
        server.wait(7)  # longer than it bears to be without an answer
    [second] = psutil.Process(server.pid).children()
    second.kill()
    assert server.wait(_ENDS) == 1


def test_it_ends_when_the_server_behind_it_is_killed_before_it_answers(server: subprocess.Popen[bytes]):
    [behind] = until(psutil.Process(server.pid).children, _STARTS, "it starts one")
    behind.kill()
    assert server.wait(_ENDS) == 1
