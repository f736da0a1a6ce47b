"""docker-compose.yml and its image against the platform that they repeat: a change on one side alone fails here."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import configuration, credentials, environments, programs
from infra.containers.__main__ import PREPARATIONS
from infra.platform import Platform
from infra.projects import RunningProject

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PLATFORM = Platform(ROOT, Path("/var/lib/headrace"))  # as it is in a container
BOOKSTORE = RunningProject("bookstore", ROOT / "examples" / "bookstore")
PROGRAMS = {program.name: program for program in programs.all_programs(PLATFORM, [BOOKSTORE])}
STEPS = {"secrets", "roles", "sample-data", "headrace"}


def without_comments(path: str) -> str:
    return re.sub(r"(^|\s)#.*", "", (ROOT / path).read_text())


DOCKERFILE = without_comments("infra/containers/Dockerfile").replace("\\\n", " ")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:  # as a Compose implementation reads them: anchors merged, variables filled in
    command = [sys.executable, "-m", "podman_compose", "--dry-run", "--file", str(ROOT / "docker-compose.yml"), "config"]
    done = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)["services"]


def mounts(service: dict[str, Any]) -> dict[str, tuple[str, str]]:  # where in the container: what, and how
    return {target: (what, how[0] if how else "rw") for what, target, *how in (one.split(":") for one in service.get("volumes", []))}


def test_every_program_of_the_platform_is_a_service_under_its_name(services: dict[str, Any]) -> None:
    assert set(services) == set(PROGRAMS) | STEPS
    assert {name: services[name]["command"] for name in PROGRAMS} == {name: [name] for name in PROGRAMS}
    assert {name for name, service in services.items() if service["restart"] == "no"} == STEPS


def test_a_service_is_stopped_as_by_the_supervisor_and_healthy_when_a_start_calls_it_ready(services: dict[str, Any]) -> None:
    for name, program in PROGRAMS.items():
        assert services[name].get("stop_signal", "SIGTERM") == f"SIG{program.stop_signal}", name
        assert int(services[name]["stop_grace_period"].removesuffix("s")) >= program.stop_seconds, name
    asked = {name: service["healthcheck"]["test"] for name, service in services.items() if "healthcheck" in service}
    assert asked == {name: ["CMD", "python", "-m", "infra.containers", "ready", name] for name in programs.PORT_OF if name in PROGRAMS}


def test_a_service_waits_for_what_it_needs(services: dict[str, Any]) -> None:
    def awaited(name: str) -> set[str]:
        needs = services[name].get("depends_on", {})
        return set(needs).union(*map(awaited, needs))

    assert awaited("headrace") == set(services) - {"headrace", "sample", "dagster-daemon"}  # an apply needs all that answers
    assert all("secrets" in awaited(name) for name in services if name != "secrets" and str(PLATFORM.secrets) in mounts(services[name]))
    assert "roles" in awaited("superset") & awaited("sample-data")
    for needed, how in (wait for service in services.values() for wait in service.get("depends_on", {}).items()):
        assert how["condition"] == ("service_completed_successfully" if needed in STEPS else "service_healthy"), needed


def test_all_share_the_loopback_that_the_configuration_names_and_its_ports(services: dict[str, Any]) -> None:
    assert {service["network_mode"] for service in services.values()} == {"host"}
    assert [service for service in services.values() if "ports" in service] == []
    assert all(service["environment"] == {"HEADRACE_PORT_BASE": str(PLATFORM.port_base)} for service in services.values())


def test_what_a_program_keeps_is_in_a_volume_that_its_user_owns(services: dict[str, Any]) -> None:
    kafka = re.search("log.dirs=(.*)", configuration.render(PLATFORM, "kafka.properties"))
    flink = yaml.safe_load(configuration.render(PLATFORM, "flink.yaml"))["execution.checkpointing"]["dir"].removeprefix("file://")
    kept = {name: PROGRAMS[name].environment["DAGSTER_HOME"] for name in PROGRAMS if name.startswith("dagster-")}
    kept |= {f"postgres-{name}": f"{PLATFORM.data}/postgres" for name in ("source", "analytics")}
    kept |= {name: str(Path(flink).parent) for name in ("flink-jobmanager", "flink-taskmanager")}
    kept |= {"kafka": kafka[1] if kafka else "", "superset": f"{PLATFORM.state}/superset", "headrace": kept["dagster-code"]}
    assert {name: path for name, path in kept.items() if path not in mounts(services[name])} == {}
    owned = {f"/var/lib/{folder}" for folder in re.findall(r"headrace/[\w/]+", DOCKERFILE)}
    assert owned == set(kept.values()) | {str(PLATFORM.secrets)}
    assert f"HEADRACE_STATE={PLATFORM.state}\n" in DOCKERFILE


def test_secrets_are_generated_by_one_service_and_only_read_by_others(services: dict[str, Any]) -> None:
    given = {name: mounts(service).get(str(PLATFORM.secrets)) for name, service in services.items()}
    assert {name for name, mount in given.items() if mount == ("secrets", "rw")} == {"secrets"}
    assert {name for name, mount in given.items() if mount is None} == {"kafka", "dagster-webserver", "dagster-daemon"}


def test_versions_come_from_the_locks_and_none_is_written_again() -> None:
    base = re.search(r"^FROM python:(3\.\d+)(\.\d+)-slim-bookworm$", DOCKERFILE, re.MULTILINE)
    assert base and PYPROJECT["project"]["requires-python"].startswith(f">={base[1]}")  # what the locks are resolved for
    assert re.findall(r"\d+\.\d[\d.]*", DOCKERFILE) == [base[1] + base[2]]
    assert re.findall(r"(\w+):(\d+\.\d[\d.]*)", without_comments("docker-compose.yml")) == [("headrace", PYPROJECT["project"]["version"])]


def test_the_image_holds_every_lock_and_every_room() -> None:
    installed = "".join(re.findall(r"for name in ([\w ]+);", DOCKERFILE))
    only_here = {"dev", "uv", "flights", "peer"}  # the data of an example, and what only a comparison needs
    assert only_here | {*installed.split()} == {lock.stem for lock in environments.REQUIREMENTS.glob("*.lock")}
    assert "artefacts.fetch(artefacts.of_this_machine(artefacts.read_lock()))" in DOCKERFILE
    copied = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE))
    assert copied == {"requirements", *PYPROJECT["tool"]["importlinter"]["root_packages"]}


def test_the_entry_point_does_steps_runs_commands_and_knows_its_programs(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [environments.ensure("headrace"), "-m", "infra.containers", *arguments]
        variables = {**os.environ, "HEADRACE_STATE": str(tmp_path)}
        return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False)

    assert run("secrets").returncode == 0
    assert (tmp_path / "secrets" / credentials.NAMES[0]).stat().st_mode & 0o777 == 0o600
    assert "bookstore: good" in run("headrace", "validate").stdout
    assert "kafka, connect, flink-jobmanager" in run("kafkaa").stderr
    assert set(PREPARATIONS) <= set(PROGRAMS)
