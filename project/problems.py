"""What is wrong with a project, said so that its author can mend it: file, line, what, expected, fix."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Location:
    """A place in a project folder: path relative to the folder's parent as a person would type it, and 1-based line."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


NOWHERE = Location("", 0)


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to mend. The message reads `what is wrong; what was expected; what to do`."""

    location: Location
    message: str

    def __str__(self) -> str:
        return f"{self.location}: {self.message}"


class ProjectError(Exception):
    """A project that cannot be used, with every problem found in it, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


class LocatedMapping(dict[str, Any]):
    """A YAML mapping that remembers where it and each of its keys stand."""

    location: Location = NOWHERE
    key_locations: dict[str, Location] = {}
