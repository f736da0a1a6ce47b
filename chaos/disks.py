"""Small disks, and what happens when one is full or set back. They are mounted, which takes root on Linux."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

from cdc.connect import Connect
from chaos.fault import ALONE, DISKS, LOUD, fault
from chaos.steps import MANY_ORDERS, down, reread
from chaos.world import World
from e2e.waiting import until
from infra.platform import Platform

_SIZE = "2g"
_FULL = 30  # seconds
_PIECES = tuple(1 << power for power in (26, 20, 16, 12))  # bytes


def possible() -> bool:
    return sys.platform == "linux" and os.getuid() == 0


def mounted(platform: Platform) -> bool:
    return all(folder.is_mount() for folder in _folders(platform))


def mount(platform: Platform) -> None:
    """Move what a platform that is down has stored onto small disks."""
    for folder in _folders(platform):
        aside = folder.rename(folder.with_name(f"{folder.name}.large"))
        folder.mkdir()
        _run("mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "headrace-chaos", folder)
        _run("cp", "-aT", aside, folder)
        shutil.rmtree(aside)


def unmount(platform: Platform) -> None:
    """All of them, and with them what they hold."""
    for folder in _folders(platform):
        if folder.is_mount():
            _run("umount", folder)


def _folders(platform: Platform) -> Iterator[Path]:
    yield from (platform.data / "kafka", platform.data / "flink", *(platform.postgres_data / name for name in ("source", "analytics")))


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, timeout=60)


def _fill(folder: Path) -> None:
    """Leave no space for a while, whatever others give back meanwhile."""
    ballast, ends = folder / "ballast", time.monotonic() + _FULL
    try:
        with ballast.open("wb") as file:
            while time.monotonic() < ends:
                for piece in _PIECES:
                    with suppress(OSError):  # no such space is left
                        while True:
                            os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, piece)
                time.sleep(0.1)
    finally:
        ballast.unlink()


@fault("F10", ALONE, DISKS)
def fill_the_source_disk(world: World, rng: Random) -> None:
    """The disk of the source's PostgreSQL is full for 30 s."""
    _fill(world.platform.postgres_data / "source")


@fault("F10", ALONE, DISKS)
def fill_the_analytics_disk(world: World, rng: Random) -> None:
    """The disk of the analytics PostgreSQL is full for 30 s."""
    _fill(world.platform.postgres_data / "analytics")


@fault("F10", ALONE, DISKS)
def fill_the_disk_of_kafka(world: World, rng: Random) -> None:
    """Kafka's disk is full for 30 s."""
    _fill(world.platform.data / "kafka")


@fault("F10", ALONE, DISKS)
def fill_the_disk_of_checkpoints(world: World, rng: Random) -> None:
    """The disk that Flink writes its checkpoints to is full for 30 s."""
    _fill(world.platform.data / "flink")


@fault("F14", LOUD, DISKS)
def set_the_source_back(world: World, rng: Random) -> None:
    """The files of the source's server, slots included, are set back to a copy that is 50,000 orders old."""
    data, earlier = world.platform.postgres_data / "source", world.platform.state / "source.earlier"
    shutil.rmtree(earlier, ignore_errors=True)
    with down(world, "postgres-source"):
        _run("cp", "-aT", data, earlier)
    with world.source() as source:
        source.execute(MANY_ORDERS, [50_000])
        (written,) = source.execute("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint").fetchone() or (0,)
    connect = Connect(world.environment.connect.url)
    read = [one.connector for one in world.captured.values()]  # databases of this server
    until(lambda: all((connect.position(one) or 0) >= written for one in read), 120, f"{read} have stored that they have read the orders")
    with down(world, "postgres-source"):
        _run("find", data, "-mindepth", "1", "-delete")
        _run("cp", "-aT", earlier, data)
    shutil.rmtree(earlier)
    for source in world.captured:
        reread(world, source)
