"""Where things are on this machine: the checkout, its state folder, the project and the environment by default."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def state_folder() -> Path:
    """Where the embedded platform keeps everything; HEADRACE_STATE moves it."""
    return Path(os.environ.get("HEADRACE_STATE", ROOT / ".headrace")).absolute()


def port_base() -> int:
    """All ports of the embedded platform lie above it; HEADRACE_PORT_BASE moves them."""
    return int(os.environ.get("HEADRACE_PORT_BASE", "18000"))


def project_folder() -> Path:
    """The project that a command means when it names none."""
    folder = Path(os.environ.get("HEADRACE_PROJECT", ROOT / "examples" / "bookstore"))
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def environment_file() -> Path:
    """The environment that a command means when it names none: the embedded platform."""
    return Path(os.environ.get("HEADRACE_ENVIRONMENT", state_folder() / "config" / "environment.yaml"))


def use_dagster_home() -> None:
    """Let Dagster use the embedded platform's instance unless another is named by DAGSTER_HOME."""
    os.environ.setdefault("DAGSTER_HOME", str(state_folder() / "data" / "dagster"))
