"""Commands that run once during a start and must succeed. What they print goes to a log of their own."""

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.errors import PlatformError
from infra.platform import Platform
from infra.processes import MARK

_LAST_LINES = 12


def run_once(
    platform: Platform, name: str, command: Sequence[str | Path], variables: Mapping[str, str] | None = None,
    user: str | None = None, seconds: float = 300,
) -> None:  # fmt: skip
    """Run a command to its end, as another user if root is asked to; raises PlatformError with its last words."""
    log = platform.logs / f"{name}.log"
    with log.open("w") as file:
        try:
            done = subprocess.run(
                command, env=environment(platform, variables or {}), cwd="/", stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                timeout=seconds, check=False, **_as_user(user),
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise PlatformError(f"{name} took longer than {seconds:.0f} s{last_words(log)}") from None
    if done.returncode:
        raise PlatformError(f"{name} ended with {done.returncode}{last_words(log)}")


def environment(platform: Platform, variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of everything we start: little of the caller's, so that a start does not depend on who makes it."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "USER", "LOGNAME", "SSL_CERT_FILE") if name in os.environ}
    ours = {"LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", "TMPDIR": str(platform.scratch), MARK: str(platform.state)}
    return {**ours, **inherited, **variables}


def last_words(log: Path) -> str:
    """The end of a log, indented, to follow the first line of an error."""
    lines = log.read_text(errors="replace").splitlines()[-_LAST_LINES:] if log.exists() else []
    return "\n  " + "\n  ".join([*lines, f"(all of it: {log})"])


def _as_user(user: str | None) -> dict[str, Any]:
    if user is None or os.getuid() != 0:
        return {}
    account = pwd.getpwnam(user)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
