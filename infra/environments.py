"""Python environments from hash-pinned locks, kept in a cache that all checkouts share.

Standard library only: this runs before any environment exists. An environment's folder is named after its lock and its
interpreter, is built beside its final place and renamed into it when complete: it is whole or absent, never half done.
"""

import hashlib
import importlib.util
import os
import platform
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.errors import PlatformError

REQUIREMENTS = Path(__file__).parents[1] / "requirements"
Announce = Callable[[str], None]


def cache() -> Path:
    """Downloads and environments, shared between checkouts; safe to delete while nothing runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headrace"


def unsupported() -> str | None:
    """Why this machine cannot run Headrace, or None."""
    if sys.platform not in ("linux", "darwin"):
        return f"Headrace runs on Linux and macOS, not on {sys.platform}; on Windows use WSL 2"
    if sys.platform == "linux" and platform.libc_ver()[0] != "glibc":
        return "this Linux has no glibc (as Alpine), which PostgreSQL and several packages need; use Debian, Ubuntu or Fedora"
    if sys.version_info >= (3, 13):
        ours = ".".join(map(str, sys.version_info[:2]))
        return f"Superset 6.1 has no packages for Python {ours}; use 3.11 or 3.12: python3.12 ./headrace up, or make up PYTHON=python3.12"
    if platform.machine() not in ("x86_64", "aarch64", "arm64"):
        return f"there are no packages for a {platform.machine()} processor; use x86-64 or 64-bit ARM"
    return None


def location(name: str) -> Path:
    """Where the environment of requirements/<name>.lock is, or will be."""
    parts = (REQUIREMENTS / f"{name}.lock").read_bytes(), sys.version.encode(), platform.machine().encode()
    return cache() / "environments" / f"{name}-{hashlib.sha256(b'|'.join(parts)).hexdigest()[:12]}"


def python(name: str) -> Path:
    """The interpreter of an environment."""
    return location(name) / "bin" / "python"


def site_packages(name: str) -> Path:
    """The installed packages of an environment."""
    return location(name) / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"


def ensure(name: str, announce: Announce = lambda text: None) -> Path:
    """The interpreter of an environment, installed first if it is not there yet."""
    if not python(name).exists():
        announce(f"installing the environment {name!r} (once)")
        uv = _uv(announce)
        with complete_or_absent(location(name)) as folder:
            _run(uv, "venv", "--relocatable", "--python", sys.executable, folder)
            _run(
                uv, "pip", "install", "--python", folder / "bin" / "python", "--no-deps", "--require-hashes", "--compile-bytecode",
                "--requirements", REQUIREMENTS / f"{name}.lock",
            )  # fmt: skip
    return python(name)


@contextmanager
def complete_or_absent(target: Path) -> Iterator[Path]:
    """A folder to fill that becomes `target` when the block ends well; what dead processes left behind is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{target.name}.*"):
        if not _alive(int(left.suffix[1:])):
            shutil.rmtree(left)
    scratch = target.parent / f".{target.name}.{os.getpid()}"
    try:
        yield scratch
        scratch.rename(target)
    except OSError:
        if not target.exists():  # if it does, another process was quicker, and its result is as good
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def system_certificates() -> str | None:
    """The certificates that this machine trusts, a company's own among them; None on a machine without any."""
    return ssl.get_default_verify_paths().cafile


def _uv(announce: Announce) -> Path:
    uv = location("uv") / "bin" / "uv"
    if not uv.exists():
        announce("fetching uv, the installer (once)")
        with complete_or_absent(location("uv")) as folder:
            folder.mkdir()
            lock = REQUIREMENTS / "uv.lock"
            _run(*_pip(folder), "install", "--quiet", "--no-deps", "--require-hashes", "--target", folder, "--requirement", lock)
    return uv


def _pip(scratch: Path) -> tuple[str | Path, ...]:
    """pip as this Python has it; Debian and its like ship Python without."""
    if importlib.util.find_spec("pip"):
        return sys.executable, "-m", "pip"
    if importlib.util.find_spec("ensurepip"):
        _run(sys.executable, "-m", "venv", scratch / "venv")
        return scratch / "venv" / "bin" / "python", "-m", "pip"
    raise PlatformError(f"{sys.executable} has neither pip nor venv; install one of them (Debian, Ubuntu: apt install python3-venv)")


def _run(*command: str | Path) -> None:
    environment = {"UV_CACHE_DIR": str(cache() / "uv"), "UV_SYSTEM_CERTS": str(system_certificates() is not None), **os.environ}
    environment |= {"UV_PYTHON_DOWNLOADS": "never"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        output = done.stderr.strip() or done.stdout.strip()
        raise PlatformError(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{output}")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    print(ensure(sys.argv[1], lambda text: print(f"headrace: {text}", file=sys.stderr, flush=True)))
