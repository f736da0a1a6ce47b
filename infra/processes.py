"""Finding the platform's processes on the machine by the mark in their environment, and ending those that nobody supervises."""

import os
import signal
from collections.abc import Iterator

import psutil

from infra.platform import Platform

MARK = "HEADRACE_PLATFORM"  # in the environment of every process that we start: its platform's state folder
_GRACE = 15  # seconds


def ours(platform: Platform) -> Iterator[psutil.Process]:
    """All living processes of this platform, the supervisor included."""
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(platform.state) and process.pid != os.getpid():
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue


def end_unsupervised(platform: Platform, supervisor: int | None) -> None:
    """End what a killed supervisor or a killed start left running; it would hold ports and data that the next start needs.

    `supervisor` is the process id of the living supervisor, which with all that descends from it is left alone.
    """
    supervised = {supervisor, *(child.pid for child in psutil.Process(supervisor).children(recursive=True))} if supervisor else set()
    left = [process for process in ours(platform) if process.pid not in supervised]
    for process in left:
        _signal(process, signal.SIGINT if process_name(process) == "postgres" else signal.SIGTERM)
    _, stubborn = psutil.wait_procs(left, timeout=_GRACE)
    for process in stubborn:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=_GRACE)


def listening_ports(platform: Platform) -> set[int]:
    """The ports at which this platform's processes listen."""
    found: set[int] = set()
    for process in ours(platform):
        try:
            found |= {connection.laddr.port for connection in process.net_connections("tcp") if connection.status == psutil.CONN_LISTEN}
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def process_name(process: psutil.Process) -> str:
    """Its program's name; empty when it has just ended."""
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
