"""YAML as people mean it, with the line of everything: texts, numbers, true, false, null, lists and mappings of YAML 1.2.

Built from parser events, so nothing can be constructed or expand: anchors, aliases and tags are refused, `no` and `on` are texts.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from project.problems import LocatedMapping, LocatedText, Location, Problem, quoted

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # The C parser is ten times faster, where it was built.
_DEEPEST = 40
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")  # "007" is a text: a number would lose its zeros.
_FLOAT = re.compile(r"[-+]?[0-9]{1,17}\.[0-9]{0,17}([eE][-+]?[0-9]{1,3})?")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class _Refused(Exception):
    def __init__(self, line: int, message: str) -> None:
        self.line, self.message = line, message


def read_yaml(text: str, file: str, problems: list[Problem]) -> LocatedMapping | None:
    """The mapping that a document is; what is wrong goes to `problems`. None if there is nothing to go on with."""
    try:
        return _Builder(file, problems, yaml.parse(text, Loader=_LOADER)).document()
    except _Refused as refused:
        problems.append(Problem(Location(file, refused.line), refused.message))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problems.append(Problem(Location(file, line), _syntax(text, line, error.problem or "it cannot be parsed")))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problems.append(Problem(Location(file, line), "a control character; expected printable text; remove it"))
    return None


def _syntax(text: str, line: int, problem: str) -> str:
    lines = text.split("\n")
    here = lines[line - 1] if line <= len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return "a tab in the indentation; YAML is indented with spaces; replace the tab"
    return f"not YAML: {problem}; expected key: value lines; check indentation, colons and quotes here and on the line above"


class _Builder:
    """Turns the events of one document into located values."""

    def __init__(self, file: str, problems: list[Problem], events: Iterator[yaml.Event]) -> None:
        self._file = file
        self._problems = problems
        self._events = events

    def document(self) -> LocatedMapping:
        next(self._events)  # StreamStart
        begin = next(self._events)
        value = None if isinstance(begin, yaml.StreamEndEvent) else self._value(next(self._events), None, 0)
        if not isinstance(value, LocatedMapping):
            raise _Refused(_line(begin), "there are no keys; expected a mapping of key: value lines; write it")
        next(self._events)  # DocumentEnd
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            raise _Refused(_line(following), 'a second document begins; expected one; remove the "---" or "..."')
        return value

    def _value(self, event: yaml.Event, key: Location | None, depth: int) -> Any:
        """The value that an event begins; `key` is where its key stands."""
        self._refuse_references(event)
        if depth > _DEEPEST:
            raise _Refused(_line(event), f"nested more than {_DEEPEST} deep; expected a spec; flatten it")
        here = Location(self._file, _line(event))
        match event:
            case yaml.MappingStartEvent():
                return self._mapping(key or here, depth)
            case yaml.SequenceStartEvent():
                return [self._value(item, None, depth + 1) for item in self._until(yaml.SequenceEndEvent)]
            case yaml.ScalarEvent():
                return self._scalar(event, here)
        raise _Refused(here.line, "not YAML; expected a value; correct it")

    def _mapping(self, location: Location, depth: int) -> LocatedMapping:
        found = LocatedMapping({}, location)
        for event in self._until(yaml.MappingEndEvent):
            self._refuse_references(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _Refused(_line(event), "a list or mapping as a key; expected a name; correct the key")
            key = Location(self._file, _line(event))
            name = str(self._checked(event.value, key))
            value = self._value(next(self._events), key, depth + 1)
            if name in found:
                self._problems.append(
                    Problem(
                        key, f"key {quoted(name)} again, first on line {found.key_locations[name].line}; expected each key once; remove one"
                    )
                )
            found.setdefault(name, value)
            found.key_locations.setdefault(name, key)
        return found

    def _scalar(self, event: yaml.ScalarEvent, here: Location) -> Any:
        text = self._checked(event.value, here)
        if not event.implicit[0] or event.style in ("'", '"', "|", ">"):
            return LocatedText.at(here, text)
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        return LocatedText.at(here, text)

    def _checked(self, text: str, here: Location) -> str:
        if _UNPRINTABLE.search(text):
            raise _Refused(here.line, f"{quoted(text)} has a control character; expected printable text; remove it")
        return text

    def _refuse_references(self, event: yaml.Event) -> None:
        if anchor := getattr(event, "anchor", None):
            raise _Refused(_line(event), f"anchor or alias {quoted(anchor)}; specs have none; write the value out, or put it in quotes")
        if tag := getattr(event, "tag", None):
            raise _Refused(_line(event), f"tag {quoted(tag)}; specs have none; remove it, or put the text in quotes")

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self._events), end):
            yield event


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark else 1
