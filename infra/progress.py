"""How a long step tells what it is doing. Whoever starts the platform decides how that is shown."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Report(Protocol):
    """Called from several threads at once, as steps run side by side."""

    def started(self, step: str) -> None: ...

    def advanced(self, step: str, fraction: float, detail: str) -> None:
        """`fraction` is 0 to 1; `detail` is a few words, such as "12 of 75 MB"."""
        ...

    def finished(self, step: str, seconds: float, detail: str) -> None: ...

    def failed(self, step: str, seconds: float) -> None: ...

    def noticed(self, what: str) -> None:
        """Something beside the steps that somebody should know."""
        ...


@contextmanager
def step(report: Report, name: str, detail: str = "") -> Iterator[None]:
    """Report the start and the end of the block."""
    begun = time.monotonic()
    report.started(name)
    try:
        yield
    except BaseException:
        report.failed(name, time.monotonic() - begun)
        raise
    report.finished(name, time.monotonic() - begun, detail)
