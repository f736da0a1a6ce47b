"""What a peer takes of the machine: its own processes, those of the platform that it uses, and both PostgreSQL servers."""

from collections.abc import Iterable

import psutil

from bench.peers.peer import Peer
from infra import lifecycle
from infra.platform import Platform

_SERVERS = ("postgres-source", "postgres-analytics")


def cpu_seconds(platform: Platform, peer: Peer) -> float:
    """Used so far, with that of processes that have ended."""
    return seconds_of(_processes(platform, peer, _SERVERS))


def seconds_of(processes: Iterable[psutil.Process]) -> float:
    """CPU that processes have used so far."""
    return sum(sum(one.cpu_times()[:4]) for one in processes)  # user, system, and both of the children that have ended


def with_children(root: psutil.Process) -> Iterable[psutil.Process]:
    """A process and all that descends from it."""
    return root, *root.children(recursive=True)


def memory(platform: Platform, peer: Peer) -> float:
    """MB in use now, shared pages shared out; without the PostgreSQL servers, which all of them need."""
    return sum(process.memory_full_info().pss for process in _processes(platform, peer)) / 1e6


def _processes(platform: Platform, peer: Peer, more: Iterable[str] = ()) -> Iterable[psutil.Process]:
    wanted = {*peer.components, *more}
    roots = [one.pid for one in lifecycle.status(platform) if one.name in wanted and one.pid is not None]
    for root in map(psutil.Process, roots):
        yield from with_children(root)
    yield from map(psutil.Process, peer.processes())
