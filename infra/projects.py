"""The projects that a platform runs: their names, their folders, and the ports at which Dagster reaches their definitions."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from infra.credentials import write_private
from infra.errors import PlatformError
from infra.platform import CODE_PORTS, INGESTION_PORTS, MOST_PROJECTS, Platform


@dataclass(frozen=True)
class RunningProject:
    """A project with a place on the platform. The first has place 0, and its programs plain names."""

    name: str
    folder: Path
    place: int = 0
    ingests: bool = False  # whether programs send it events over HTTP
    encoders: tuple[str, ...] = ()  # the consumers that write its events as Avro, which takes a schema registry

    def program(self, kind: str) -> str:
        """The name of one of its programs."""
        return kind if self.place == 0 else f"{kind}-{self.name}"

    def code_port(self, platform: Platform) -> int:
        """Where its definitions are served."""
        return platform.port("dagster code") if self.place == 0 else platform.port_base + CODE_PORTS + self.place

    def ingestion_port(self, platform: Platform) -> int:
        """Where programs send it events."""
        return platform.port_base + INGESTION_PORTS + self.place

    def ports(self, platform: Platform) -> dict[str, int]:
        """Where its programs are reached."""
        ingestion = {self.program("ingestion"): self.ingestion_port(platform)} if self.ingests else {}
        return {self.program("dagster-code"): self.code_port(platform)} | ingestion

    @property
    def consumers(self) -> tuple[str, ...]:
        """Programs that receive its filtered events."""
        return (*self.encoders, *sorted(file.stem for file in (self.folder / "consumers").glob("[!.]*.yaml")))

    def consumer(self, name: str) -> str:
        """The program of one of them."""
        return f"consumer-{self.name}-{name}"

    @property
    def serving(self) -> tuple[str, ...]:
        """The programs that wait for events, from outside or from its topics."""
        return (*([self.program("ingestion")] if self.ingests else []), *map(self.consumer, self.consumers))

    @property
    def has_sample(self) -> bool:
        """Whether it brings data of its own to try it with."""
        return (self.folder / "sample" / "__main__.py").exists()


def need_registry(projects: Iterable[RunningProject]) -> bool:
    """Whether any of them writes Avro."""
    return any(one.encoders for one in projects)


def read(platform: Platform) -> tuple[RunningProject, ...]:
    """The platform's projects in the order of their places. Raises PlatformError when a folder is gone."""
    file = _file(platform)
    rows = yaml.safe_load(file.read_text()) if file.exists() else []
    found = tuple(
        RunningProject(row["name"], Path(row["folder"]), row["place"], row.get("ingests", False), tuple(row.get("encoders", ())))
        for row in rows
    )
    for one in found:
        if not one.folder.is_dir():
            way_out = f"put it back, or remove the project from {file}"
            raise PlatformError(f"project {one.name} ran on this platform from {one.folder}, which is gone; {way_out}")
    return found


def placed(platform: Platform, name: str, folder: Path, ingests: bool = False, encoders: Iterable[str] = ()) -> RunningProject:
    """A project with a free place, or the one that it has. Its folder may have moved, and what it runs have changed."""
    known = {one.name: one.place for one in read(platform)}
    free = sorted(set(range(MOST_PROJECTS)) - set(known.values()))
    if name not in known and not free:
        raise PlatformError(f"this platform already runs {MOST_PROJECTS} projects; erase one: headrace erase -p FOLDER")
    return RunningProject(name, folder, known.get(name, free[0] if free else 0), ingests, tuple(encoders))


def joined(platform: Platform, added: RunningProject) -> list[RunningProject]:
    """The projects once this one is among them."""
    return [*(one for one in read(platform) if one.name != added.name), added]


def add(platform: Platform, name: str, folder: Path, ingests: bool = False, encoders: Iterable[str] = ()) -> RunningProject:
    """Give a project its place."""
    added = placed(platform, name, folder, ingests, encoders)
    _write(platform, joined(platform, added))
    return added


def remove(platform: Platform, name: str) -> None:
    """Take a project's place away."""
    _write(platform, [one for one in read(platform) if one.name != name])


def _write(platform: Platform, projects: Iterable[RunningProject]) -> None:
    ordered = sorted(projects, key=lambda one: one.place)
    rows = [asdict(one) | {"folder": str(one.folder), "encoders": list(one.encoders)} for one in ordered]
    write_private(_file(platform), yaml.safe_dump(rows, sort_keys=False))


def _file(platform: Platform) -> Path:
    return platform.state / "projects.yaml"
