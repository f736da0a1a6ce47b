"""The platform itself: loopback only, no secret in sight, safe to start twice, and nothing left of a start that was cut off."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest
import requests

from e2e.conftest import PORT_BASE, ROOT, headrace
from e2e.waiting import until
from infra import credentials, lifecycle, processes
from infra.platform import PORTS, Platform


def test_all_listen_on_loopback_only(platform: Platform):
    assert listening(platform) >= {platform.port(name) for name in PORTS if not name.startswith("registry")}


def listening(platform: Platform) -> set[int]:
    """The ports of all processes, none of which another machine reaches."""
    listeners = [
        (process.name(), connection.laddr)
        for process in processes.ours(platform)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert [(name, address) for name, address in listeners if not _is_loopback(address.ip)] == []
    return {address.port for _, address in listeners}


def _is_loopback(address: str) -> bool:
    parsed = ip_address(address)
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


def test_no_secret_is_seen_in_processes_logs_configuration_or_job_graphs(platform: Platform):
    places = dict(_processes(platform)) | dict(_files(platform)) | dict(_flink(platform)) | dict(_connect(platform))
    assert {"kafka.log", "supervisord.conf", "flink job"} < {place.split(":")[0] for place in places}
    for name in credentials.NAMES:
        secret = credentials.reveal(platform, name)
        assert [place for place, text in places.items() if secret in text] == [], f"the secret {name} is there"


def _processes(platform: Platform) -> Iterator[tuple[str, str]]:
    for process in processes.ours(platform):
        yield f"process:{process.pid}", " ".join([*process.cmdline(), *process.environ().values()])


def _files(platform: Platform) -> Iterator[tuple[str, str]]:
    for folder in (platform.logs, platform.config):
        for file in folder.rglob("*"):
            if file.is_file():
                yield file.name, file.read_text(errors="replace")


def _flink(platform: Platform) -> Iterator[tuple[str, str]]:
    for job in requests.get(platform.url("flink") + "/jobs", timeout=10).json()["jobs"]:
        for what in ("", "/config", "/plan", "/exceptions"):
            yield f"flink job:{job['id']}{what}", requests.get(f"{platform.url('flink')}/jobs/{job['id']}{what}", timeout=10).text
    yield "jobmanager settings", requests.get(platform.url("flink") + "/jobmanager/config", timeout=10).text


def _connect(platform: Platform) -> Iterator[tuple[str, str]]:
    for connector in requests.get(platform.url("connect") + "/connectors", timeout=10).json():
        yield f"connector:{connector}", requests.get(f"{platform.url('connect')}/connectors/{connector}", timeout=10).text


def test_the_files_with_secrets_are_their_owners_alone(platform: Platform):
    assert platform.secrets.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in platform.secrets.iterdir()} == {0o600}


def test_what_is_stored_is_for_nobody_else_on_the_machine(platform: Platform):
    reached = [platform.scratch, platform.logs, *(platform.data / "kafka").glob("*-0")]
    assert len(reached) > 3 and [folder for folder in reached if folder.stat().st_mode & 0o077] == []


def test_a_page_of_another_site_is_answered_nothing(platform: Platform):
    other = {"Origin": "http://example.com"}
    dagster, questions = f"{platform.url('dagster')}/graphql", {"query": "{ version }"}
    assert requests.post(dagster, json=questions, headers={"Origin": platform.url("dagster")}, timeout=30).json()["data"]["version"]
    assert requests.post(dagster, json=questions, headers=other, timeout=30).status_code == 403
    assert requests.get(dagster, params=questions, timeout=30).status_code == 403, "as from the address of an image"
    for name, path in (("flink", "/overview"), ("gateway", "/v4/info")):
        answer = requests.get(platform.url(name) + path, headers=other, timeout=30)
        assert answer.ok and answer.headers.get("Access-Control-Allow-Origin") not in ("*", other["Origin"]), name


def test_a_connector_can_refer_to_its_own_secret_and_to_no_other_file(platform: Platform):
    stolen = f"${{file:{platform.secrets / 'pgpass'}:127.0.0.1}}"
    config = {"connector.class": "io.debezium.connector.postgresql.PostgresConnector", "topic.prefix": stolen, "name": "thief"}
    url = f"{platform.url('connect')}/connector-plugins/{config['connector.class']}/config/validate"
    answer = requests.put(url, json=config, timeout=30).text
    assert credentials.reveal(platform, "writer") not in answer


def test_a_second_up_restarts_nothing(platform: Platform):
    before = {component.name: component.pid for component in lifecycle.status(platform)}
    headrace("up")
    assert {component.name: component.pid for component in lifecycle.status(platform)} == before


def test_taken_ports_are_told_before_anything_starts(platform: Platform, tmp_path: Path):
    state = tmp_path / "state"
    done = _headrace(state, PORT_BASE, "up")
    assert done.returncode == 1
    for name in ("kafka", "flink", "superset", "postgres source"):
        assert f"port {platform.port(name)}, needed for {name}, is in use by process" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not state.exists()


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Platform]:
    """Another platform beside the first, which is left alone."""
    tmp_path.chmod(0o755)
    platform = Platform(ROOT, tmp_path / "second", PORT_BASE + 200)
    yield platform
    _headrace(platform.state, platform.port_base, "down", "--erase", "--yes")


def test_nothing_is_left_of_a_start_that_was_killed(platform: Platform, second: Platform):
    first = {component.name: component.pid for component in lifecycle.status(platform)}
    start = subprocess.Popen(
        [sys.executable, "-m", "orchestration", "up"], cwd=ROOT, env=_variables(second.state, second.port_base),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: _answers(second.port("postgres source")), 240, "the source database of the second platform answers")
    start.send_signal(signal.SIGKILL)
    start.wait()
    assert list(processes.ours(second))
    assert _headrace(second.state, second.port_base, "down").returncode == 0
    assert list(processes.ours(second)) == []
    assert [name for name in PORTS if _answers(second.port(name))] == []
    assert _headrace(second.state, second.port_base, "down", "--erase", "--yes").returncode == 0
    assert not second.state.exists()
    assert not second.shelter.exists()
    assert {component.name: component.pid for component in lifecycle.status(platform)} == first


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _variables(state: Path, port_base: int) -> dict[str, str]:
    return {**os.environ, "HEADRACE_STATE": str(state), "HEADRACE_PORT_BASE": str(port_base)}


def _headrace(state: Path, port_base: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "orchestration", *arguments], cwd=ROOT, env=_variables(state, port_base), text=True,
        capture_output=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
