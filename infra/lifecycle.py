"""Start, stop, look at and erase a platform."""

import fcntl
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from infra import configuration, credentials, endpoints, environments, preflight, processes, programs, projects, readiness, supervision
from infra.errors import PlatformError
from infra.platform import HOST, MARKED, MARKER, Platform
from infra.programs import Program
from infra.progress import Report, step
from infra.projects import RunningProject
from infra.start import Start
from infra.tasks import run_once


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


def up(
    platform: Platform, report: Report, name: str, folder: Path, ingests: bool = False, encoders: Iterable[str] = ()
) -> RunningProject:
    """Bring up all that is not up yet with one more project, and return when every component answers. Changes nothing that is right.
    `encoders` are the consumers that write its events as Avro.

    Raises PlatformError.
    """
    if problems := preflight.problems(platform):
        raise PlatformError("\n".join(problems))
    os.umask(0o022)  # PostgreSQL's user must reach its files, whatever the caller's habit; secrets have modes of their own
    with _alone(platform):
        processes.end_unsupervised(platform, supervision.pid(platform))
        running = projects.joined(platform, projects.placed(platform, name, folder, ingests, encoders))
        if problems := preflight.project_ports(platform, running):
            raise PlatformError("\n".join(problems))
        added = projects.add(platform, name, folder, ingests, encoders)
        _bring_up(platform, report, name)
    return added


def forget(platform: Platform, report: Report, name: str) -> None:
    """Stop the programs of one project, which keeps the others running. Does nothing on a platform that is down or runs it not."""
    if name in {one.name for one in projects.read(platform)}:
        with _alone(platform):
            projects.remove(platform, name)
            if supervision.pid(platform):
                _bring_up(platform, report)


def _bring_up(platform: Platform, report: Report, name: str | None = None) -> None:
    running = projects.read(platform)
    wanted = programs.all_programs(platform, running)
    credentials.generate(platform, [one.name for one in running], endpoints.capture_passwords(platform))
    configuration.write_all(platform, running)
    endpoints.write_environment(platform, projects.need_registry(running))
    own = {program for one in running if one.name == name for program in (one.program("dagster-code"), one.program("sample"))}
    supervision.bring_up(platform, _by_files_as_read(platform, wanted, own))
    Start(platform, report, running).run(program.name for program in wanted)
    _tell_missing(platform, report, running, name)


def _by_files_as_read(platform: Platform, wanted: Iterable[Program], anew: Collection[str]) -> list[Program]:
    """Programs go on with the files that they have read, but for those named: what else was edited since has not been applied."""
    read = supervision.files(platform)
    return [one if one.name in anew else replace(one, files=read.get(one.name, one.files)) for one in wanted]


def _tell_missing(platform: Platform, report: Report, running: Iterable[RunningProject], name: str | None) -> None:
    """Dagster's pages are of use only with the project in them; that another is missing is told, and is for that one to mend."""
    missing = readiness.missing_projects(platform) if running else {}
    for one in (one for one in running if one.name in missing):
        log = f"`headrace logs {one.program('dagster-code')}` has all of it"
        told = f"Dagster could not load project {one.name}: {missing[one.name]}; {log}"
        if one.name == name:
            raise PlatformError(told)
        report.noticed(told)


@contextmanager
def going_on(platform: Platform) -> Iterator[None]:
    """Whatever ran before the block runs after it, also where what it was stopped for has failed."""
    # What fails is tried again and again by the supervisor, so it counts as well.
    ran = {info["name"] for info in supervision.states(platform) if info["statename"] in ("RUNNING", "STARTING", "BACKOFF")}
    try:
        yield
    finally:
        for name in sorted(ran.intersection(info["name"] for info in supervision.states(platform))):
            with suppress(PlatformError):  # whoever cannot be started hides neither what failed nor the others
                supervision.start(platform, name)


def prepare_sample(platform: Platform, project: RunningProject, report: Report) -> None:
    """Let the project's sample create and fill its source databases; does nothing for a project without one."""
    if project.has_sample:
        with step(report, "sample data"):
            command = [environments.python("headrace"), project.folder / "sample", "prepare"]
            run_once(platform, "sample-prepare", command, programs.project_environment(platform, project.folder))


def serve(platform: Platform, project: RunningProject, report: Report) -> None:
    """Let the project take events and its consumers receive, by its files as they are now. The other projects' programs of these kinds,
    which a start leaves alone, are started as well; whether they do their work, their own checks say."""
    with _alone(platform, waits=True):  # a start of another project would take back what is renewed here, or have its own taken back
        running = projects.read(platform)
        supervision.renew(platform, [one for one in programs.all_programs(platform, running) if one.name in project.serving])
    start = Start(platform, report, running)
    rest = {info["name"] for info in supervision.states(platform) if info["statename"] != "RUNNING"}
    for other in (one for one in running if one.name != project.name):
        for name in other.serving:
            supervision.start(platform, name)
    for name in project.serving:
        if name in rest:
            start.serve(name)


def trade(platform: Platform, project: RunningProject, report: Report) -> None:
    """Let the project's sample trade go on; does nothing for a project without one."""
    if project.has_sample:
        Start(platform, report, projects.read(platform)).serve(project.program("sample"))


def rest(platform: Platform, name: str) -> None:
    """Stop the consumers of a project, whose groups can go only without them. Does nothing on a platform that is down or runs it not."""
    for one in projects.read(platform):
        if one.name == name:
            supervision.stop(platform, map(one.consumer, one.consumers))


@contextmanager
def resting(platform: Platform, project: RunningProject, consumer: str) -> Iterator[None]:
    """One consumer of a project stands still within the block, if it runs here."""
    with going_on(platform):
        supervision.stop(platform, [project.consumer(consumer)])
        yield


def status(platform: Platform) -> list[Component]:
    """All components, in the order of their names; empty when the platform is down."""
    return [_component(platform, info) for info in supervision.states(platform)]


def _component(platform: Platform, info: dict[str, Any]) -> Component:
    name, pid = info["name"], info["pid"] or None
    return Component(
        name=name,
        state=info["statename"],
        pid=pid,
        since=float(info["start"]) if pid else None,
        address=f"{HOST}:{port}" if (port := programs.port(platform, name)) else None,
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
    """Where a component's output is."""
    return platform.logs / f"{name}.log"


def down(platform: Platform, report: Report) -> None:
    """Stop everything, writers before what they write to. Nothing survives."""
    if not platform.is_there:
        return
    with _alone(platform), step(report, "stopping"):
        running = {info["name"] for info in supervision.states(platform)}
        supervision.stop(platform, running - set(programs.STATEFUL))
        supervision.stop(platform, running)
        supervision.shut_down(platform)
        processes.end_unsupervised(platform, None)


def erase(platform: Platform) -> None:
    """Remove the platform's data, secrets, logs and configuration. It must be down."""
    if not platform.is_there:
        return
    with _alone(platform):
        if supervision.pid(platform):
            raise PlatformError("the platform is running; stop it first: make down")
        folders = [one for one in (platform.shelter, platform.socket.parent, platform.state) if one.is_dir()]
        # The mark goes last: without it nobody would know what is left for a platform, nor erase it.
        for folder in folders:
            if not _empty(folder, platform.state / MARKER):
                raise PlatformError(f"{folder} is not empty yet: what is left you may not remove; erase it as root, or as whoever made it")
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def _empty(folder: Path, but: Path) -> bool:
    """Remove what is in a folder, but for one file; whether it is gone."""
    for path in {*folder.iterdir()} - {but}:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
    return {*folder.iterdir()} <= {but}


@contextmanager
def _alone(platform: Platform, waits: bool = False) -> Iterator[None]:
    """The state folder, for one command at a time: another is refused, or waits. The lock ends with its process, however that ends."""
    platform.state.mkdir(parents=True, exist_ok=True)
    if os.getuid() not in (0, platform.state.stat().st_uid):
        raise PlatformError(f"{platform.state} is another user's; call this as that user, or name another folder in HEADRACE_STATE")
    if problem := next(preflight.state_folder(platform), None):
        raise PlatformError(problem)
    platform.state.chmod(0o711 if os.getuid() == 0 else 0o700)
    for folder in (platform.config, platform.data, platform.logs):
        folder.mkdir(mode=0o755, exist_ok=True)
    platform.logs.chmod(0o700)
    marker = platform.state / MARKER
    with marker.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            raise PlatformError(f"another command is starting or stopping the platform in {platform.state}; wait for its end") from None
        marker.write_text(MARKED)
        yield
