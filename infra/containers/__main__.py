"""What a container runs: `python -m infra.containers NAME`, with the name of a program of the platform, or of a step below.

A program has the very command and environment that it has under the supervisor, whose place the container engine takes.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from infra import configuration, credentials, databases, endpoints, environments, programs, readiness, start, tasks
from infra.errors import PlatformError
from infra.platform import Platform
from infra.projects import RunningProject

ROOT = Path(__file__).resolve().parents[2]
PROJECT = RunningProject("bookstore", ROOT / "examples" / "bookstore")

# What must be there before a program starts.
PREPARATIONS: dict[str, Callable[[Platform], None]] = {
    "postgres-source": lambda platform: databases.create_cluster(platform, "source"),
    "postgres-analytics": lambda platform: databases.create_cluster(platform, "analytics"),
    "kafka": start.format_kafka,
    "superset": lambda platform: start.prepare_superset(platform, [PROJECT]),
}


def main(name: str, *arguments: str) -> None:
    """Do a step, or become a program."""
    platform = Platform.of_checkout(ROOT)
    if name == "ready":  # the health check of the program that the argument names
        well = readiness.is_ready(platform, *arguments)
        sys.exit(0 if well and not (arguments == ("dagster-webserver",) and readiness.missing_projects(platform)) else 1)
    _write_configuration(platform)
    ours, variables = environments.python("headrace"), programs.project_environment(platform, PROJECT.folder)
    match name:
        case "secrets":
            credentials.generate(platform, [PROJECT.name])
        case "roles":
            for server in databases.SUPERUSERS:
                databases.ensure_roles(platform, server)
        case "sample-data":
            _become(platform, (str(ours), str(PROJECT.folder / "sample"), "prepare"), variables)
        case "headrace":
            _become(platform, (str(ours), "-m", "orchestration", *arguments), variables)
        case _:
            _run(platform, name)


def _write_configuration(platform: Platform) -> None:
    for folder in (platform.config, platform.data, platform.logs, platform.scratch):
        folder.mkdir(parents=True, exist_ok=True)
    configuration.write_all(platform, [PROJECT])
    endpoints.write_environment(platform)


def _run(platform: Platform, name: str) -> None:
    known = {program.name: program for program in programs.all_programs(platform, [PROJECT])}
    if name not in known:
        raise PlatformError(f"no program is called {name!r}; there are: {', '.join(known)}")
    if prepare := PREPARATIONS.get(name):
        prepare(platform)
    _become(platform, known[name].command, known[name].environment)


def _become(platform: Platform, command: tuple[str, ...], variables: Mapping[str, str]) -> None:
    os.chdir(platform.scratch)
    os.execve(command[0], command, tasks.environment(platform, variables))  # noqa: S606 - there is no shell


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except PlatformError as error:
        sys.exit(f"headrace: {error}")
