"""The command line, run against a platform as a user would."""

import os
import subprocess
import sys

from infra.platform import Platform


def run(
    platform: Platform, *arguments: str, seconds: float, check: bool, module: str = "orchestration"
) -> subprocess.CompletedProcess[str]:
    """What `headrace` printed and how it ended; with `check`, an AssertionError unless it ended with 0."""
    variables = {**os.environ, "HEADRACE_STATE": str(platform.state), "HEADRACE_PORT_BASE": str(platform.port_base)}
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=platform.root, env=variables, text=True, capture_output=True,
        timeout=seconds, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    if check and done.returncode:
        raise AssertionError(f"headrace {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done
