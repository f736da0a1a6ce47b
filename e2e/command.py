"""The command line, run against a platform as a user would."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra import environments
from infra.platform import Platform


def run_sample(platform: Platform, folder: Path, *arguments: str, seconds: float = 900) -> None:
    """An example's own command."""
    command = [str(environments.python("headrace")), str(folder / "sample"), *arguments]
    subprocess.run(command, cwd=platform.root, env=_variables(platform), stdin=subprocess.DEVNULL, timeout=seconds, check=True)


@contextmanager
def consuming(platform: Platform, folder: Path, consumer: str) -> Iterator[subprocess.Popen[bytes]]:
    """A member of a consumer's group; stopped at the end, if it still runs."""
    command = [sys.executable, "-m", "orchestration", "consume", consumer, "-p", str(folder)]
    member = subprocess.Popen(command, cwd=platform.root, env=_variables(platform), stdin=subprocess.DEVNULL)
    try:
        yield member
    finally:
        member.terminate()
        member.wait(30)


def run(
    platform: Platform, *arguments: str, seconds: float, check: bool, module: str = "orchestration"
) -> subprocess.CompletedProcess[str]:
    """What `headrace` printed and how it ended; with `check`, an AssertionError unless it ended with 0."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=platform.root, env=_variables(platform), text=True, capture_output=True,
        timeout=seconds, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    if check and done.returncode:
        raise AssertionError(f"headrace {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done


def _variables(platform: Platform) -> dict[str, str]:
    return {**os.environ, "HEADRACE_STATE": str(platform.state), "HEADRACE_PORT_BASE": str(platform.port_base)}
