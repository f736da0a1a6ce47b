"""What is wrong with a project, said so that its author can mend it: file, line, what, expected, fix."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Location:
    """A place in a project: the path as a person would type it, and the 1-based line; line 0 is the file or folder as a whole."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


NOWHERE = Location("", 0)
# What YAML and PostgreSQL both refuse in a text: control characters but tab and line ends, halves of surrogate pairs.
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to mend. The message reads `what is wrong; what was expected; what to do`."""

    location: Location
    message: str

    @classmethod
    def say(cls, location: Location, what: str, expected: str, way_out: str) -> "Problem":
        return cls(location, f"{what}; {expected}; {way_out}")

    def __str__(self) -> str:
        return f"{self.location}: {self.message}"


class ProjectError(Exception):
    """A project that cannot be used, with every problem found in it, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


class LocatedMapping(dict[str, Any]):
    """A YAML mapping that remembers where it and each of its keys stand, and as which spec it was read."""

    def __init__(self, items: Mapping[str, Any], location: Location = NOWHERE, key_locations: Mapping[str, Location] | None = None) -> None:
        super().__init__(items)
        self.location = location
        self.key_locations = dict(key_locations or {})
        self.given: Set[str] = frozenset()  # keys that the loader added; a person cannot write them
        self.spec: Any = None  # the Spec class, once one was asked to read it


class LocatedText(str):
    """A YAML text that remembers where it stands."""

    location: Location = NOWHERE
    plain = False  # whether it stands in no quotes, so that its author may have meant a number

    @classmethod
    def at(cls, location: Location, text: str, plain: bool = False) -> "LocatedText":
        located = cls(text)
        located.location, located.plain = location, plain
        return located


def printable(text: str) -> str:
    """The text with what cannot be printed, line ends included, as escapes."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def quoted(text: object, longest: int = 60) -> str:
    """A value as a message shows it: one line, printable, not too long."""
    text = str(text)
    return printable(json.dumps(text if len(text) <= longest else text[: longest - 1] + "…", ensure_ascii=False))


def listed(names: Iterable[str], most: int = 20) -> str:
    """Names as a message lists them."""
    names = [printable(name) for name in names]
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join(names[:most] + more) or "nothing"


def suggestion(wrong: str, right: Iterable[str], otherwise: str) -> str:
    """`did you mean "total"?` if one of the right names is near, else another way out."""
    near = difflib.get_close_matches(wrong, list(right), n=1)
    return f"did you mean {quoted(near[0])}?" if near else otherwise
