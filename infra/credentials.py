"""Passwords and keys: generated once, each in a file that only its owner can read."""

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.platform import HOST, Platform

NAMES = (
    "source_admin",
    "analytics_superuser",
    "analytics_admin",
    "capture",
    "writer",
    "reader",
    "registry_db",
    "superset_db",
    "superset_secret_key",
    "superset_guest_jwt",
    "superset_async_jwt",
    "superset_admin",
    "superset_deployer",
    "superset_analyst",
)


def generate(platform: Platform, projects: Iterable[str] = (), elsewhere: Mapping[str, str] | None = None) -> None:
    """Generate what is missing, and write the three files in which other programs look passwords up. `elsewhere`: what Kafka Connect
    captures as on servers that are not the platform's, by their sources' names."""
    platform.secrets.mkdir(parents=True, exist_ok=True)
    platform.secrets.chmod(0o700)
    for name in (*NAMES, *map(analyst_of, projects)):
        if not (platform.secrets / name).exists():
            write_private(platform.secrets / name, secrets.token_urlsafe(24))
    lines = [_told("capture", reveal(platform, "capture")), *(_told(_capture_of(name), given) for name, given in (elsewhere or {}).items())]
    write_private(platform.secrets / "connect.properties", "".join(f"{line}\n" for line in lines))
    write_private(platform.secrets / "registry.properties", f"apicurio.datasource.password={reveal(platform, 'registry_db')}\n")
    address = f"{HOST}:{platform.port('postgres analytics')}"
    write_private(platform.secrets / "pgpass", f"{address}:*:headrace_writer:{reveal(platform, 'writer')}\n")


def are_told(platform: Platform, elsewhere: Mapping[str, str]) -> bool:
    """Whether Kafka Connect finds what it captures as on these servers elsewhere, as it is now."""
    file = platform.secrets / "connect.properties"
    told = file.read_text().splitlines() if file.exists() else []
    return {_told(_capture_of(name), password) for name, password in elsewhere.items()} <= set(told)


def _told(name: str, password: str) -> str:
    escaped = password.replace("\\", "\\\\")
    return f"{name}={escaped}"


def for_connect(platform: Platform, source: str | None = None) -> str:
    """How a connector names the password that it captures with; without a source, that of the platform's own server."""
    return f"${{file:{platform.secrets / 'connect.properties'}:{_capture_of(source) if source else 'capture'}}}"


def _capture_of(source: str) -> str:
    return f"capture.{source}"


def analyst_of(project: str) -> str:
    """The secret of the analyst who sees one project alone."""
    return f"superset_analyst-{project}"


def reveal(platform: Platform, name: str) -> str:
    """The secret itself, read at the moment of use."""
    return (platform.secrets / name).read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Replace a file at once; it is never readable by others, nor half written."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    partial.touch(0o600)
    partial.write_text(text)
    partial.replace(path)
