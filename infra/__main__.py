"""A thin command line for the platform alone: python -m infra up|down|status."""

import time
from pathlib import Path

import typer

from infra import lifecycle
from infra.platform import Platform

app = typer.Typer()
PLATFORM = Platform.of_checkout(Path(__file__).resolve().parents[1])


class Lines:
    """A report as lines of text."""

    begun = time.monotonic()

    def started(self, step: str) -> None:
        pass

    def advanced(self, step: str, fraction: float, detail: str) -> None:
        pass

    def finished(self, step: str, seconds: float, detail: str) -> None:
        print(f"{time.monotonic() - self.begun:6.1f} s  {step} ({seconds:.1f} s) {detail}", flush=True)

    def failed(self, step: str, seconds: float) -> None:
        print(f"{time.monotonic() - self.begun:6.1f} s  {step} FAILED after {seconds:.1f} s", flush=True)


@app.command()
def up(project: Path | None = None) -> None:
    lifecycle.up(PLATFORM, Lines(), project.resolve() if project else None)


@app.command()
def down() -> None:
    lifecycle.down(PLATFORM, Lines())


@app.command()
def status() -> None:
    for one in lifecycle.status(PLATFORM):
        print(f"{one.name:20} {one.state:9} {one.pid or '':>7} {one.rss >> 20:>6} MB  {one.address or ''}")


if __name__ == "__main__":
    app()
