"""Jars and PostgreSQL's programs: fetched by exact coordinate, checked by sha256, kept in the shared cache.

A file is written under a temporary name and renamed when its bytes are right. What is there already is checked again at
each start, so a damaged file is fetched anew instead of being run.
"""

import hashlib
import os
import platform
import sys
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import requests
from jgo.constants import MAVEN_CENTRAL_URL
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from infra.environments import cache, complete_or_absent, system_certificates
from infra.errors import PlatformError

PLUGINS, REGISTRY = "connect-plugins", "registry"
LOCK = Path(__file__).with_name("artefacts.lock")
_ATTEMPTS, _TIMEOUT, _THREADS = 4, 30, 8


@dataclass(frozen=True)
class Artefact:
    sha256: str
    size: int  # bytes
    coordinate: str  # group:artifact:version[:classifier][@extension]
    folder: str  # which part of the platform it belongs to

    @property
    def path(self) -> Path:
        """Where the file is in the cache; named after its digest, so that versions never meet."""
        return cache() / "artefacts" / self.sha256[:16] / self.remote.rsplit("/", 1)[1]

    @property
    def url(self) -> str:
        """Where it is published: Maven Central, or the repository that HEADRACE_MAVEN_URL names."""
        return f"{(os.environ.get('HEADRACE_MAVEN_URL') or MAVEN_CENTRAL_URL).rstrip('/')}/{self.remote}"

    @property
    def remote(self) -> str:
        """The file's path in any Maven repository."""
        name, _, extension = self.coordinate.partition("@")
        group, artifact, version, *classifier = name.split(":")
        file = "-".join([artifact, version, *classifier])
        return f"{group.replace('.', '/')}/{artifact}/{version}/{file}.{extension or 'jar'}"


def read_lock(lock: Path = LOCK) -> tuple[Artefact, ...]:
    """All artefacts, of every processor and system."""
    lines = (line.split() for line in lock.read_text().splitlines() if not line.startswith("#"))
    return tuple(Artefact(sha256, int(size), coordinate, folder) for sha256, size, coordinate, folder in lines)


def of_this_machine(artefacts: Iterable[Artefact], registry: bool = False) -> tuple[Artefact, ...]:
    """Without the PostgreSQL programs of other systems, and without the schema registry if nobody asks for it."""
    ours = {_postgres_folder(), *([REGISTRY] if registry else ())}
    return tuple(a for a in artefacts if a.folder in ours or not a.folder.startswith(("postgres-", REGISTRY)))


def paths(folder: str, lock: Path = LOCK) -> list[Path]:
    """The files of one part of the platform, in the lock's order."""
    return [artefact.path for artefact in read_lock(lock) if artefact.folder == folder]


def fetch(artefacts: Iterable[Artefact], advanced: Callable[[int, int], None] = lambda done, total: None) -> None:
    """Fetch what is missing or damaged. `advanced` gets bytes done and bytes in all. Raises PlatformError."""
    missing = [artefact for artefact in artefacts if not _is_whole(artefact)]
    total, done, lock = sum(artefact.size for artefact in missing), 0, threading.Lock()

    def count(received: int) -> None:
        nonlocal done
        with lock:
            done += received
            advanced(done, total)

    with ThreadPoolExecutor(_THREADS) as pool:
        for future in [pool.submit(_fetch_one, artefact, count) for artefact in missing]:
            future.result()


def home(part: str, lock: Path = LOCK) -> Path:
    """The folder in which an archive is unpacked: Connect's plugins, the schema registry."""
    (archive,) = paths(part, lock)
    return cache() / part / archive.parent.name


def unpack(part: str, lock: Path = LOCK) -> Path:
    """Unpack an archive unless it is there; gives its home."""
    (archive,) = paths(part, lock)
    target = home(part, lock)
    if not target.exists():
        with complete_or_absent(target) as folder, tarfile.open(archive) as tar:
            _extract(tar, folder)
    return target


def postgres_home(programs: Path) -> Path:
    """The folder with PostgreSQL's bin, lib and share, below `programs`."""
    (archive,) = paths(_postgres_folder())
    return programs / "postgres" / archive.parent.name


def unpack_postgres(programs: Path) -> Path:
    """Unpack PostgreSQL unless it is there; gives its home."""
    (archive,) = paths(_postgres_folder())
    target = postgres_home(programs)
    if not target.exists():
        with complete_or_absent(target) as folder, zipfile.ZipFile(archive) as jar:
            (name,) = (name for name in jar.namelist() if name.endswith(".txz"))
            with jar.open(name) as packed, tarfile.open(fileobj=packed, mode="r:xz") as tar:
                _extract(tar, folder)
    return target


def _extract(tar: tarfile.TarFile, folder: Path) -> None:
    # By attribute, as the argument is unknown to Python 3.11.0 to 3.11.3.
    tar.extraction_filter = getattr(tarfile, "data_filter", None)
    tar.extractall(folder)  # noqa: S202 - its sha256 is in the lock


def _postgres_folder() -> str:
    processor = "amd64" if platform.machine() == "x86_64" else "arm64v8"
    return f"postgres-{sys.platform}-{processor}"


def _is_whole(artefact: Artefact) -> bool:
    if not artefact.path.exists() or artefact.path.stat().st_size != artefact.size:
        return False
    with artefact.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == artefact.sha256


@retry(
    retry=retry_if_exception_type((requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)),
    stop=stop_after_attempt(_ATTEMPTS),
    wait=wait_exponential(0.5),
    reraise=True,
)
def _download(url: str, target: Path, count: Callable[[int], None]) -> str:
    digest, received = hashlib.sha256(), 0
    try:
        with requests.get(url, stream=True, timeout=_TIMEOUT, verify=system_certificates() or True) as response, target.open("wb") as file:
            response.raise_for_status()
            for chunk in response.iter_content(1 << 18):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                count(len(chunk))
    except requests.RequestException:
        count(-received)
        raise
    return digest.hexdigest()


def _fetch_one(artefact: Artefact, count: Callable[[int], None]) -> None:
    target = artefact.path
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        found = _download(artefact.url, partial, count)
        if found != artefact.sha256:
            raise PlatformError(
                f"{artefact.coordinate}: what {artefact.url} serves has sha256 {found}, "
                f"the lock says {artefact.sha256}; it was thrown away: try again, or name another repository in HEADRACE_MAVEN_URL"
            )
        partial.rename(target)
    except requests.RequestException as error:
        raise PlatformError(
            f"{artefact.coordinate} cannot be downloaded: {error}; "
            "check the network, or name a Maven repository you can reach in HEADRACE_MAVEN_URL"
        ) from error
    finally:
        partial.unlink(missing_ok=True)
