"""YAML as people mean it, with the line of everything: texts, numbers, true, false, null, lists and mappings of YAML 1.2.

Built from parser events, so nothing can be constructed or expand: anchors, aliases and tags are refused, `no` and `on` are texts.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from project.problems import UNPRINTABLE, LocatedMapping, LocatedText, Location, Problem, quoted

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # The C parser is ten times faster, where it was built.
_DEEPEST = 40
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")  # "007" is a text: a number would lose its zeros.
_FLOAT = re.compile(r"[-+]?[0-9]{1,17}\.[0-9]{0,17}([eE][-+]?[0-9]{1,3})?")


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
        problems.append(_syntax_problem(error, text, file))
    return None


def _syntax_problem(error: yaml.MarkedYAMLError, text: str, file: str) -> Problem:
    mark, found = error.problem_mark or error.context_mark, error.problem or "it cannot be parsed"
    line = mark.line + 1 if mark else 1
    here = text.split("\n")[line - 1] if line <= text.count("\n") + 1 else ""
    if "quoted scalar" in (error.context or "") and error.context_mark:
        begin = Location(file, error.context_mark.line + 1)
        return Problem.say(begin, "a quoted text that does not end or has a wrong escape", "expected its closing quote", "correct it")
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return Problem.say(Location(file, line), "a tab in the indentation", "expected spaces", "replace the tab")
    if found.startswith("mapping values are not allowed"):
        way_out = "put a text with a colon in quotes, or mend the indentation"
        return Problem.say(Location(file, line), "a colon where no key can stand", "expected one key: value a line", way_out)
    way_out = "look at indentation, colons and quotes here and on the line above"
    return Problem.say(Location(file, line), f"not YAML: {found}", "expected key: value lines", way_out)


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
        return LocatedText.at(here, text, plain=True)

    def _checked(self, text: str, here: Location) -> str:
        if UNPRINTABLE.search(text):
            raise _Refused(here.line, f"{quoted(text)} has a control character; expected printable text; remove it")
        return text

    def _refuse_references(self, event: yaml.Event) -> None:
        if anchor := getattr(event, "anchor", None):
            raise _Refused(_line(event), f"anchor or alias {quoted(anchor)}; specs have none; write the value out, or put it in quotes")
        if tag := getattr(event, "tag", None):
            shown = quoted(tag.replace("tag:yaml.org,2002:", "!!"))
            raise _Refused(_line(event), f"tag {shown}; specs have none; remove it, or put the text in quotes")

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        while not isinstance(event := next(self._events), end):
            yield event


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark else 1
