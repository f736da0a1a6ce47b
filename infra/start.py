"""The order of a start: everything at once, except that each waits for what it needs."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from threading import Event

from infra import artefacts, configuration, databases, environments, programs, readiness, supervision
from infra.errors import PlatformError
from infra.platform import Platform
from infra.progress import Report, step
from infra.projects import RunningProject, need_registry
from infra.tasks import run_once

_FLINK = ("flink-jobmanager", "flink-taskmanager", "flink-gateway")
_DAGSTER = ("dagster-webserver", "dagster-daemon")


class Start:
    """One start of a platform whose supervisor runs. The first failure, or Ctrl-C, ends the waiting for the rest."""

    def __init__(self, platform: Platform, report: Report, projects: Sequence[RunningProject]) -> None:
        self._platform, self._report, self._cancelled = platform, report, Event()
        self._projects, self._registry = projects, need_registry(projects)

    def run(self, names: Iterable[str]) -> None:
        """Start what is not running among `names`; returns when all answer."""
        with ThreadPoolExecutor(24) as pool:
            try:
                for future in as_completed(self._submit(pool, set(names))):
                    future.result()
            except BaseException:
                self._cancelled.set()
                raise

    def serve(self, name: str, *needs: "Future[None]") -> None:
        """Start one program once what it needs is there; returns when it answers."""
        for need in needs:
            need.result()
        with step(self._report, name):
            supervision.start(self._platform, name)
            readiness.wait_until_ready(self._platform, name, self._cancelled)

    def _submit(self, pool: ThreadPoolExecutor, names: set[str]) -> list["Future[None]"]:
        files, flink, superset = pool.submit(self._fetch), pool.submit(self._install, "flink"), pool.submit(self._install, "superset")
        analytics, kafka = pool.submit(self._postgres, "analytics", files), pool.submit(self._kafka, files)
        futures = [files, flink, superset, analytics, kafka, pool.submit(self._postgres, "source", files)]
        futures += [pool.submit(self.serve, name, files, flink) for name in _FLINK]
        futures += [pool.submit(self.serve, "connect", kafka), pool.submit(self._superset, superset, analytics)]
        futures += [pool.submit(self.serve, "registry", analytics)] if self._registry else []
        code = [pool.submit(self.serve, project.program("dagster-code")) for project in self._projects]
        futures += [*code, *(pool.submit(self.serve, name, *code) for name in _DAGSTER if name in names)]
        return futures

    def _fetch(self) -> None:
        with step(self._report, "downloads"):
            artefacts.fetch(artefacts.of_this_machine(artefacts.read_lock(), self._registry), self._advance)
            if self._registry:
                artefacts.unpack(artefacts.REGISTRY)
            artefacts.unpack(artefacts.PLUGINS)
            artefacts.unpack_postgres(self._platform.postgres_programs)

    def _advance(self, done: int, total: int) -> None:
        if self._cancelled.is_set():
            raise PlatformError("the start was broken off")
        self._report.advanced("downloads", done / total, f"{done >> 20} of {total >> 20} MB")

    def _install(self, name: str) -> None:
        with step(self._report, f"environment {name}"):
            environments.ensure(name)

    def _postgres(self, name: str, files: "Future[None]") -> None:
        files.result()
        databases.create_cluster(self._platform, name)
        self.serve(f"postgres-{name}")
        databases.ensure_roles(self._platform, name)

    def _kafka(self, files: "Future[None]") -> None:
        files.result()
        format_kafka(self._platform)
        self.serve("kafka")

    def _superset(self, installed: "Future[None]", analytics: "Future[None]") -> None:
        installed.result()
        analytics.result()
        with step(self._report, "superset metadata"):
            prepare_superset(self._platform, self._projects)
        self.serve("superset")


def format_kafka(platform: Platform, *more: str) -> None:
    """Make Kafka's data folder what its broker expects, unless it is that already; `more` is told to Kafka's tool as well."""
    if not (platform.data / "kafka" / "meta.properties").exists():
        settings = configuration.path(platform, "kafka.properties")
        tool = ("kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", _CLUSTER_ID, "-c", settings, *more)
        run_once(platform, "kafka-format", programs.java("-cp", programs.kafka_classpath(), *tool))


def prepare_superset(platform: Platform, projects: Iterable[RunningProject]) -> None:
    """Bring Superset's metadata database up to date, with a role and a user for the analysts of each project."""
    command = [environments.python("superset"), platform.root / "infra" / "superset" / "bootstrap.py"]
    names = {"HEADRACE_PROJECTS": " ".join(project.name for project in projects)}
    run_once(platform, "superset-bootstrap", command, programs.superset_environment(platform) | names)


_CLUSTER_ID = "headrace-embedded-kafkA"  # 22 characters of base64, as Kafka wants it
