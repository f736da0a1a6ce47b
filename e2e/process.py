"""Programs beside a platform, for peers and tests: ended by who started them, or by `headrace down`."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.platform import Platform
from infra.tasks import environment


class Process:
    """One program of the platform's kind, without a supervisor."""

    def __init__(self, platform: Platform, name: str, command: Sequence[str | Path], variables: Mapping[str, str] | None = None) -> None:
        with (platform.logs / f"peer-{name}.log").open("w") as log:
            self._running = subprocess.Popen(
                list(map(str, command)), env=environment(platform, variables or {}), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,  # the share of busy processors that the platform's programs have
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._running.pid

    def end(self) -> None:
        self._running.terminate()
        try:
            self._running.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self._running.kill()
        self._running.wait()
