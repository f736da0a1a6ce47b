"""The supervisor that keeps the platform's processes running: its configuration, and what we ask of it."""

import os
import re
import shlex
import shutil
import xmlrpc.client
from collections.abc import Callable, Iterable
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport, UnixStreamHTTPConnection
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from infra import environments
from infra.errors import PlatformError
from infra.platform import Platform
from infra.processes import MARK
from infra.programs import Program
from infra.tasks import run_once

_FILES = "HEADRACE_FILES"
_ANSWER = 10  # seconds for the supervisor to answer; it never waits for a program while it does
_YIELDING = ("/bin/sh", str(Path(__file__).with_name("yielding.sh")))
_DEADLINE = 90  # seconds for programs to stop: above the longest of their stop_seconds


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
    files = {_FILES: program.files} if program.files else {}
    variables = sorted({**program.environment, **files, MARK: str(platform.state)}.items())
    return [
        f"[program:{program.name}]",
        f"command={_escape(shlex.join((*_YIELDING, *program.command) if program.yields else program.command))}",
        f"directory={'/' if program.user else _escape(platform.scratch)}",  # another user may not be able to enter ours
        "environment=" + ",".join(f'{name}="{_escape(value)}"' for name, value in variables),
        *([f"user={program.user}"] if os.getuid() == 0 and program.user else ["umask=077"]),
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


class _Connection(UnixStreamHTTPConnection):
    """As the supervisor's own client has it, with a limit to the wait for an answer."""

    def __init__(self, socketfile: Path) -> None:
        super().__init__("localhost")
        self.socketfile = str(socketfile)

    def connect(self) -> None:
        super().connect()
        self.sock.settimeout(_ANSWER)


def ask(platform: Platform, method: str, *arguments: object) -> Any:
    """Call the supervisor. Raises NotSupervised when it does not run, PlatformError when it refuses or has no time to answer."""
    transport = SupervisorTransport(None, None, f"unix://{platform.socket}")
    transport._get_connection = lambda: _Connection(platform.socket)  # pyright: ignore[reportAttributeAccessIssue]
    try:
        return getattr(xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport).supervisor, method)(*arguments)
    except PermissionError as error:
        raise PlatformError(f"the platform in {platform.state} is another user's; call this as that user") from error
    except TimeoutError as error:
        way_out = f"try again, or kill its process, whose number is in {platform.state / 'supervisor.pid'}"
        raise PlatformError(f"the supervisor runs, but has not answered for {_ANSWER} s; {way_out}") from error
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


def files(platform: Platform) -> dict[str, str]:
    """The digest of the files that each program of a project was configured with; empty when the supervisor does not run."""
    text = platform.supervisor_file.read_text() if pid(platform) is not None else ""
    return dict(re.findall(rf'^\[program:(.+)\]\n(?:.+\n)*?environment=.*\b{_FILES}="(\w+)"', text, re.MULTILINE))


def bring_up(platform: Platform, programs: Iterable[Program]) -> None:
    """Start the supervisor, or give the running one the new configuration: a program whose section changed is stopped."""
    text = configuration(platform, programs)
    _make_private(platform.socket.parent)
    platform.supervisor_file.write_text(text)
    if pid(platform) is not None:
        _reconfigure(platform)
    else:
        _launch(platform)


def renew(platform: Platform, programs: Iterable[Program]) -> None:
    """Give the running supervisor the configuration of these programs as it is now: one whose section changed is stopped."""
    wanted = {lines[0]: "\n".join(lines) for lines in (_section(platform, one) for one in programs)}
    before = platform.supervisor_file.read_text()
    text = "\n\n".join(wanted.get(section.partition("\n")[0], section) for section in before.split("\n\n"))
    if text.strip() != before.strip():
        platform.supervisor_file.write_text(text.strip() + "\n")
        _reconfigure(platform)


def _make_private(folder: Path) -> None:
    """The folder of the socket: who can enter it commands the platform. One in /tmp may have been made by somebody else."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PlatformError(f"{folder} belongs to another user; remove it, or choose a state folder with a shorter path in HEADRACE_STATE")


def _launch(platform: Platform) -> None:
    shutil.rmtree(platform.scratch, ignore_errors=True)
    platform.scratch.mkdir(mode=0o700)  # where our programs work, and Python looks for modules first
    command = [environments.ensure("headrace"), "-P", platform.root / "infra" / "supervisord.py", "-c", platform.supervisor_file]
    run_once(platform, "supervisor-start", command, seconds=_DEADLINE)
    _wait_until(lambda: pid(platform) is not None, f"the supervisor does not answer; see {platform.logs / 'supervisor.log'}")


def _reconfigure(platform: Platform) -> None:
    ((added, changed, removed),) = ask(platform, "reloadConfig")
    stop(platform, [*changed, *removed])
    for name in [*changed, *removed]:
        ask(platform, "removeProcessGroup", name)
    for name in [*added, *changed]:
        ask(platform, "addProcessGroup", name)


def start(platform: Platform, name: str) -> None:
    """Start a program unless it runs already; one that has failed is tried now, and not when the supervisor would, minutes later."""
    state = ask(platform, "getProcessInfo", name)["statename"]
    if state == "BACKOFF":
        stop(platform, [name])
    if state not in ("RUNNING", "STARTING"):
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
    _wait_until(
        lambda: not any(info["pid"] for info in states(platform) if info["name"] in names),
        f"{', '.join(sorted(names))}: not all stop; `headrace status` says which still run",
    )


def _wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    """Return when the condition holds; raises PlatformError with the text `otherwise` after the deadline."""
    attempts = Retrying(
        retry=retry_if_result(lambda holds: not holds), stop=stop_after_delay(_DEADLINE), wait=wait_fixed(0.1),
        retry_error_callback=lambda state: False,
    )  # fmt: skip
    if not attempts(condition):
        raise PlatformError(otherwise)


def shut_down(platform: Platform) -> None:
    """End the supervisor itself, and with it whatever it still runs."""
    if number := pid(platform):
        supervisor = psutil.Process(number)
        ask(platform, "shutdown")
        psutil.wait_procs([supervisor], timeout=_DEADLINE)
