"""Where things are on this machine: the checkout, its platform, and the project and environment that a command means."""

import os
from pathlib import Path

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


def use_dagster_home() -> None:
    """Let Dagster use the embedded platform's instance unless DAGSTER_HOME names another."""
    os.environ.setdefault("DAGSTER_HOME", str(this_platform().data / "dagster"))
