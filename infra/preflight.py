"""What would make a start fail, found before anything is started and told all at once."""

import errno
import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import psutil

from infra import endpoints, environments, processes
from infra.platform import HOST, PORTS, Platform
from infra.projects import RunningProject

_BASES = (18000, 19000)  # the default and what we propose in its stead
_FIT_FOR_PATHS = re.compile(r"[\w./ @+~=%()-]")
_FREE_DISK = 3 << 30  # bytes
_FREE_MEMORY = 9 << 29  # bytes; the bookstore's processes hold 3.5 GB, the rest is for peaks and the system's caches


def problems(platform: Platform) -> list[str]:
    """Every reason why this platform cannot start here, each with its way out. A running platform of ours is no problem."""
    if reason := environments.unsupported():
        return [reason]
    running, needed = processes.listening_ports(platform), {name: platform.port(name) for name in PORTS}
    found = [*_paths(platform), *state_folder(platform), *_ports(platform, needed, running), *_disk(platform)]
    return found if running else [*found, *_memory()]


def _paths(platform: Platform) -> Iterator[str]:
    for path in (platform.root, platform.state, environments.cache()):
        if odd := sorted(set(str(path)) - set(_FIT_FOR_PATHS.findall(str(path)))):
            yield f"{path}: Java programs take {' '.join(odd)} in a path for something else; move it to a path of plain letters"


def state_folder(platform: Platform) -> Iterator[str]:
    """Why the state folder cannot be a platform's. Raises PlatformError when an environment file in it cannot be read."""
    state = platform.state
    if state.exists() and not state.is_dir():
        yield f"{state} is a file; the platform needs a folder there, or name another in HEADRACE_STATE"
    elif not os.access(_nearest(state), os.R_OK | os.W_OK | os.X_OK):
        yield f"{_nearest(state)} is not writable for you; name another folder in HEADRACE_STATE"
    elif state.exists() and any(state.iterdir()) and not platform.is_there and not endpoints.only_sources(platform):
        yield f"{state} holds other things than a platform; name a new or empty folder in HEADRACE_STATE"


def project_ports(platform: Platform, running: Iterable[RunningProject]) -> list[str]:
    """The ports of projects that others have taken. Who is added gets its own only as it starts, so they are no part of `problems`."""
    needed = {name: port for one in running for name, port in one.ports(platform).items()}
    return list(_ports(platform, needed, processes.listening_ports(platform)))


def _ports(platform: Platform, needed: Mapping[str, int], ours: set[int]) -> Iterator[str]:
    other = next(base for base in _BASES if base != platform.port_base)
    way_out = f"stop it; or, without data so far, choose other ports for this and all later commands: export HEADRACE_PORT_BASE={other}"
    for name, port in needed.items():
        if port not in ours and _is_taken(port):
            yield f"port {port}, needed for {name}, is in use{_by_whom(port)}; {way_out}"


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _by_whom(port: int) -> str:
    try:
        listeners = (one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN and one.pid)
        owner = psutil.Process(next(one.pid for one in listeners if one.laddr and one.laddr.port == port))
        return f" by process {owner.pid} ({owner.name()})"
    except (psutil.Error, StopIteration):  # another user's process: the system does not tell
        return ""


def _disk(platform: Platform) -> Iterator[str]:
    folders = {_nearest(platform.state), _nearest(environments.cache())}
    for folder in {folder.stat().st_dev: folder for folder in sorted(folders)}.values():
        free = shutil.disk_usage(folder).free
        if free < _FREE_DISK:
            need = f"a start needs {_FREE_DISK / 1e9:.1f} GB: make room, or name another folder in HEADRACE_STATE"
            yield f"{free / 1e9:.1f} GB of disk are free under {folder}; {need}"


def _memory() -> Iterator[str]:
    free = psutil.virtual_memory().available
    if free < _FREE_MEMORY:
        yield f"{free / 1e9:.1f} GB of memory are available; the platform needs {_FREE_MEMORY / 1e9:.1f} GB: close other programs"


def _nearest(folder: Path) -> Path:
    """The folder itself, or the closest one above it that exists."""
    return folder if folder.exists() else _nearest(folder.parent)
