"""Where things are on this machine: the checkout, its platform, and the project and environment that a command means."""

import os
from pathlib import Path

from infra.errors import PlatformError
from infra.platform import Platform

ROOT = Path(__file__).resolve().parent.parent


def this_platform() -> Platform:
    """The embedded platform of this checkout; HEADRACE_STATE and HEADRACE_PORT_BASE move it."""
    return Platform.of_checkout(ROOT)


def project_folder() -> Path:
    """The project that a command means when it names none; HEADRACE_PROJECT names another."""
    folder = Path(os.environ.get("HEADRACE_PROJECT", ROOT / "examples" / "bookstore"))
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def environment_file() -> Path:
    """The environment that a command means when it names none: the embedded platform."""
    return Path(os.environ.get("HEADRACE_ENVIRONMENT", this_platform().environment_file))


def is_embedded(environment: Path) -> bool:
    """Whether an environment is that of this checkout's platform."""
    return environment.resolve() == this_platform().environment_file.resolve()


def use_dagster_home(environment: Path, needed: bool = True) -> None:
    """Let what is done to the embedded platform be known to its Dagster, and what is done elsewhere to the one that DAGSTER_HOME names.
    Raises PlatformError if one is needed and not there."""
    if is_embedded(environment):
        os.environ.setdefault("DAGSTER_HOME", str(this_platform().data / "dagster"))
    home = os.environ.get("DAGSTER_HOME")
    if needed and home is None:
        raise PlatformError(f"{environment}: the Dagster that watches this place has to know what is done; name its folder in DAGSTER_HOME")
    if needed and not has_dagster_home():
        raise PlatformError(f"Dagster has to know what is done, and its folder {home} is not there; start it, or correct DAGSTER_HOME")


def has_dagster_home() -> bool:
    """Whether DAGSTER_HOME names a folder."""
    home = os.environ.get("DAGSTER_HOME")
    return home is not None and Path(home).is_dir()
