"""A start as a person sees it: a live line per running step on a terminal, a line per finished step elsewhere."""

import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class ProgressReport:
    """A `Report` of infra, to be used as a context; safe to call from several threads."""

    def __init__(self, console: Console) -> None:
        self._console, self._begun = console, time.monotonic()
        self._live = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[detail]}"),
            TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "ProgressReport":
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()

    def started(self, step: str) -> None:
        self._tasks[step] = self._live.add_task(step, total=None, detail="")

    def advanced(self, step: str, fraction: float, detail: str) -> None:
        self._live.update(self._tasks[step], total=1.0, completed=fraction, detail=detail)

    def finished(self, step: str, seconds: float, detail: str) -> None:
        self._end(step, "[green]✓[/]", f"{seconds:.1f} s{', ' + detail if detail else ''}")

    def failed(self, step: str, seconds: float) -> None:
        self._end(step, "[red]✗[/]", f"failed after {seconds:.1f} s")

    def noticed(self, what: str) -> None:
        self._console.print(f"[yellow]{escape(what)}[/]")

    def _end(self, step: str, sign: str, detail: str) -> None:
        if step in self._tasks:
            self._live.remove_task(self._tasks.pop(step))
        self._console.print(f"[dim]{time.monotonic() - self._begun:6.1f} s[/] {sign} {step}  [dim]{detail}[/]")
