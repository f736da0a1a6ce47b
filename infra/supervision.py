"""The supervisor that keeps the platform's processes running: its configuration, and what we ask of it."""

import os
import shlex
import shutil
import xmlrpc.client
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport
from tenacity import retry, retry_if_result, stop_after_delay, wait_fixed

from infra import environments
from infra.errors import PlatformError
from infra.platform import Platform
from infra.processes import MARK
from infra.programs import Program
from infra.tasks import run_once

_DEADLINE = 60


def configuration(platform: Platform, programs: Iterable[Program]) -> str:
    """The supervisor's configuration file. Nothing starts by itself: each program waits until what it needs is ready."""
    user = ["user=root"] if os.getuid() == 0 else []
    sections = [
        ["[unix_http_server]", f"file={_escape(platform.socket)}", "chmod=0700"],
        ["[rpcinterface:supervisor]", "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface"],
        [
            "[supervisord]",
            f"logfile={_escape(platform.logs / 'supervisor.log')}",
            "logfile_maxbytes=5MB",
            "logfile_backups=1",
            f"pidfile={_escape(platform.state / 'supervisor.pid')}",
            f"childlogdir={_escape(platform.logs)}",
            *user,
        ],
        *(_section(platform, program) for program in programs),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _section(platform: Platform, program: Program) -> list[str]:
    variables = sorted({**program.environment, MARK: str(platform.state)}.items())
    return [
        f"[program:{program.name}]",
        f"command={_escape(shlex.join(program.command))}",
        f"directory={_escape(platform.scratch)}",
        "environment=" + ",".join(f'{name}="{_escape(value)}"' for name, value in variables),
        *([f"user={program.user}"] if os.getuid() == 0 and program.user else []),
        "autostart=false",
        "autorestart=true",
        "startsecs=2",
        "startretries=1000000",  # a component that cannot start yet is tried again, ever more slowly
        f"stopsignal={program.stop_signal}",
        f"stopwaitsecs={program.stop_seconds}",
        "stopasgroup=false" if program.name.startswith("postgres-") else "stopasgroup=true",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={_escape(_escape(platform.logs / f'{program.name}.log'))}",  # the supervisor expands this one twice
        "stdout_logfile_maxbytes=20MB",
        "stdout_logfile_backups=2",
    ]


def _escape(value: object) -> str:
    return str(value).replace("%", "%%")


class NotSupervised(PlatformError):
    """The supervisor does not run."""


def ask(platform: Platform, method: str, *arguments: object) -> Any:
    """Call the supervisor. Raises NotSupervised when it does not run, PlatformError when it refuses."""
    transport = SupervisorTransport(None, None, f"unix://{platform.socket}")
    try:
        return getattr(xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor, method)(*arguments)
    except (OSError, HTTPException) as error:
        raise NotSupervised(f"the supervisor does not run ({error}); see {platform.logs / 'supervisor.log'}") from error
    except xmlrpc.client.Fault as fault:
        raise PlatformError(f"{' '.join([method, *map(str, arguments)])}: {fault.faultString}") from fault
    finally:
        transport.close()


def pid(platform: Platform) -> int | None:
    """The supervisor's process id, or None when it does not run."""
    try:
        return ask(platform, "getPID")
    except NotSupervised:
        return None


def bring_up(platform: Platform, programs: Iterable[Program]) -> None:
    """Start the supervisor, or give the running one the new configuration: a program whose section changed is stopped."""
    text = configuration(platform, programs)
    platform.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    platform.supervisor_file.write_text(text)
    if pid(platform) is not None:
        _reconfigure(platform)
    else:
        _launch(platform)


def _launch(platform: Platform) -> None:
    shutil.rmtree(platform.scratch, ignore_errors=True)
    platform.scratch.mkdir()
    platform.scratch.chmod(0o1777)  # PostgreSQL's user works in it as well
    command = [environments.python("headrace"), "-m", "supervisor.supervisord", "-c", platform.supervisor_file]
    run_once(platform, "supervisor-start", command, seconds=_DEADLINE)
    _wait_until_running(platform)


@retry(retry=retry_if_result(lambda number: number is None), stop=stop_after_delay(_DEADLINE), wait=wait_fixed(0.05))
def _wait_until_running(platform: Platform) -> int | None:
    return pid(platform)


def _reconfigure(platform: Platform) -> None:
    ((added, changed, removed),) = ask(platform, "reloadConfig")
    for name in [*changed, *removed]:
        ask(platform, "stopProcessGroup", name)
        ask(platform, "removeProcessGroup", name)
    for name in [*added, *changed]:
        ask(platform, "addProcessGroup", name)


def start(platform: Platform, name: str) -> None:
    """Start a program unless it runs already."""
    if ask(platform, "getProcessInfo", name)["statename"] not in ("RUNNING", "STARTING", "BACKOFF"):
        ask(platform, "startProcess", name, False)


def states(platform: Platform) -> list[dict[str, Any]]:
    """What the supervisor says of each program, or nothing when it does not run."""
    try:
        return ask(platform, "getAllProcessInfo")
    except NotSupervised:
        return []


def stop(platform: Platform, programs: Iterable[str]) -> None:
    """Stop these programs at the same time, and wait for their end."""
    names = set(programs)
    for info in states(platform):
        if info["name"] in names and info["statename"] in ("RUNNING", "STARTING", "BACKOFF"):
            ask(platform, "stopProcess", info["name"], False)
    _wait_until_stopped(platform, names)


@retry(retry=retry_if_result(bool), stop=stop_after_delay(_DEADLINE), wait=wait_fixed(0.1))
def _wait_until_stopped(platform: Platform, names: set[str]) -> list[str]:
    return [info["name"] for info in states(platform) if info["name"] in names and info["pid"]]


def shut_down(platform: Platform) -> None:
    """End the supervisor itself, and with it whatever it still runs."""
    if number := pid(platform):
        supervisor = psutil.Process(number)
        ask(platform, "shutdown")
        psutil.wait_procs([supervisor], timeout=_DEADLINE)
