"""Start, stop, look at and erase a platform."""

import shutil
import subprocess
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra import artefacts, configuration, credentials, databases, endpoints, environments, programs, readiness, supervision
from infra.platform import Platform
from infra.progress import Report, step


@dataclass(frozen=True)
class Component:
    """One process of the platform, as it is now."""

    name: str
    state: str  # the supervisor's word: RUNNING, STARTING, BACKOFF, STOPPED, …
    pid: int | None
    since: float | None  # seconds since the epoch; None when it does not run
    address: str | None  # host:port
    rss: int  # resident memory in bytes, of its children as well
    log: Path


def up(platform: Platform, report: Report, project: Path | None = None) -> None:
    """Bring up all that is not up yet, and return when every component answers. Changes nothing that is right."""
    wanted = programs.all_programs(platform, project)
    platform.state.mkdir(parents=True, exist_ok=True)
    credentials.generate(platform)
    configuration.write_all(platform)
    endpoints.write_environment(platform)
    supervision.bring_up(platform, wanted)
    _Start(platform, report).run({program.name for program in wanted})


class _Start:
    """The order of a start: all at once, except that each waits for what it needs."""

    def __init__(self, platform: Platform, report: Report) -> None:
        self.platform, self.report = platform, report

    def run(self, names: set[str]) -> None:
        with ThreadPoolExecutor(16) as pool:
            files, flink = pool.submit(self._fetch), pool.submit(self._install, "flink")
            superset = pool.submit(self._install, "superset")
            source = pool.submit(self._postgres, "source", files)
            analytics = pool.submit(self._postgres, "analytics", files)
            kafka = pool.submit(self._kafka, files)
            rest = [pool.submit(self._serve, name, files, flink) for name in ("flink-jobmanager", "flink-taskmanager", "flink-gateway")]
            rest += [pool.submit(self._serve, "connect", kafka), pool.submit(self._superset, superset, analytics)]
            if "dagster-code" in names:
                rest.append(pool.submit(self._dagster))
            for future in [files, flink, superset, source, analytics, kafka, *rest]:
                future.result()

    def _fetch(self) -> None:
        wanted = artefacts.of_this_machine(artefacts.read_lock())
        with step(self.report, "downloads"):

            def advanced(done: int, total: int) -> None:
                self.report.advanced("downloads", done / total, f"{done >> 20} of {total >> 20} MB")

            artefacts.fetch(wanted, advanced)
            artefacts.unpack_connect_plugins()
            artefacts.unpack_postgres(self.platform.postgres_programs)

    def _install(self, name: str) -> None:
        with step(self.report, f"environment {name}"):
            environments.ensure(name)

    def _serve(self, name: str, *needs: "Future[None]") -> None:
        for need in needs:
            need.result()
        with step(self.report, name):
            supervision.start(self.platform, name)
            readiness.wait_until_ready(self.platform, name)

    def _postgres(self, name: str, files: "Future[None]") -> None:
        files.result()
        databases.create_cluster(self.platform, name)
        self._serve(f"postgres-{name}")
        databases.ensure_roles(self.platform, name)

    def _kafka(self, files: "Future[None]") -> None:
        files.result()
        if not (self.platform.data / "kafka" / "meta.properties").exists():
            settings = configuration.path(self.platform, "kafka.properties")
            tool = ("kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", "headrace-headrace-he", "-c", settings)
            subprocess.run(programs.java("-cp", programs.kafka_classpath(), *tool), check=True, capture_output=True, timeout=60)
        self._serve("kafka")

    def _superset(self, installed: "Future[None]", analytics: "Future[None]") -> None:
        installed.result()
        analytics.result()
        with step(self.report, "superset metadata"):
            folder, log = self.platform.root / "infra" / "superset", self.platform.logs / "superset-bootstrap.log"
            variables = {**programs.superset_environment(self.platform), "PATH": "/usr/bin:/bin", "HOME": str(self.platform.scratch)}
            with log.open("w") as file:
                command = [environments.python("superset"), folder / "bootstrap.py"]
                subprocess.run(command, env=variables, cwd=self.platform.scratch, stdout=file, stderr=file, check=True, timeout=300)
        self._serve("superset")

    def _dagster(self) -> None:
        self._serve("dagster-code")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._serve, ("dagster-webserver", "dagster-daemon")))


def status(platform: Platform) -> list[Component]:
    """All components, in the order of their names; empty when the platform is down."""
    return [_component(platform, info) for info in supervision.states(platform)]


def _component(platform: Platform, info: dict[str, object]) -> Component:
    name, pid = str(info["name"]), int(str(info["pid"])) or None
    port = next((program.port for program in programs.all_programs(platform, None) if program.name == name), None)
    return Component(
        name=name,
        state=str(info["statename"]),
        pid=pid,
        since=float(str(info["start"])) if pid else None,
        address=platform.address(port) if port else None,
        rss=_resident(pid) if pid else 0,
        log=log_path(platform, name),
    )


def _resident(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)])
    except psutil.NoSuchProcess:
        return 0


def log_path(platform: Platform, name: str) -> Path:
    return platform.logs / f"{name}.log"


def down(platform: Platform, report: Report) -> None:
    """Stop everything, writers before what they write to. Nothing survives."""
    with step(report, "stopping"):
        running = [info["name"] for info in supervision.states(platform)]
        stateful = {program.name for program in programs.all_programs(platform, None) if program.stateful}
        supervision.stop(platform, set(running) - stateful)
        supervision.stop(platform, stateful)
        supervision.shut_down(platform)


def erase(platform: Platform) -> None:
    """Remove the platform's data, secrets, logs and configuration. It must be down."""
    shutil.rmtree(platform.state)
    if platform.shelter:
        shutil.rmtree(platform.shelter, ignore_errors=True)
