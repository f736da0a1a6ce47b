"""Regular expressions that mean the same to Python and to Java, and that keep Java from trying a text in ever more ways.

Java's matcher tries one way after the other, and goes one level deeper for each turn of a group that it repeats: a text that is long
enough ends the job there, at each start anew. So what is repeated has one length, or is one character.
"""

import re
from collections.abc import Iterator
from math import prod
from typing import Any
from warnings import catch_warnings

_LONGEST = 512
_TURNS = 100  # of a group
_ENDS = 999  # turns; beyond that Python has a repetition without an end
_OPEN = 3  # repetitions without an end: each multiplies the time by the text's length
_WAYS = 1000  # of the choices that have an end: alternatives, optional parts, {2,5}
_ONE = {"LITERAL", "NOT_LITERAL", "ANY", "IN"}  # nodes of the parsed expression that are one character
_PLAIN = {*_ONE, "AT", "BRANCH", "SUBPATTERN", "MAX_REPEAT", "MIN_REPEAT"}  # that both engines read alike
_WORDS = {"GROUPREF": "a back-reference", "ASSERT": "look-around", "ASSERT_NOT": "look-around", "GROUPREF_EXISTS": "a back-reference"}
_ESCAPE = r"\\(?:[dDwWsStnrf]|x[0-9A-Fa-f]{2}|u(?![dD][89A-Fa-f])[0-9A-Fa-f]{4}|[!-/:-@\[-`{-~])"
_IN_CLASS = rf"(?:{_ESCAPE}|[^\\\[\]^&-]|&(?!&))"
_CLASS = rf"\[\^?-?(?:{_IN_CLASS}(?:-{_IN_CLASS})?)*-?\]"
_REPEATED = r"(?:[*+?]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})\??"
# What both engines know, and write in the same way.
_SHARED = re.compile(rf"(?:{_CLASS}|{_ESCAPE}|\(\?:|\((?!\?)|[).^$|]|{_REPEATED}|[^\\\[\](){{}}*+?|^$.])*")


def check_pattern(text: str) -> None:
    """Raises ValueError with what is wrong."""
    if len(text) > _LONGEST:
        raise ValueError(f"a regular expression of {len(text)} characters; expected at most {_LONGEST}; shorten it")
    nodes = list(_nodes(_parsed(text)))
    _refuse_what_differs(text, nodes)
    _refuse_what_is_slow(text, nodes)


def _parsed(text: str) -> Any:
    try:
        with catch_warnings(action="ignore"):  # of what is refused below
            re.compile(text)
            return re._parser.parse(text)  # type: ignore[attr-defined] - the only reader of this language there is
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}; expected one of Java and Python; correct it") from error


def _refuse_what_differs(text: str, nodes: list[Any]) -> None:
    for name, _ in nodes:
        if name not in _PLAIN:
            raise ValueError(f"{_WORDS.get(name, name.lower())} in a regular expression; expected none; write it another way")
    shared = _SHARED.match(text)
    if shared and shared.end() < len(text):
        found = f"{text[shared.end() : shared.end() + 3]!r} in a regular expression, which Python and Java write differently"
        raise ValueError(f"{found}; expected what both know; write it out, or put a backslash before a sign that means itself")


def _refuse_what_is_slow(text: str, nodes: list[Any]) -> None:
    repeats = [argument for name, argument in nodes if name.endswith("_REPEAT")]
    for least, most, inner in repeats:
        if most > 1 and not _one(inner) and (most > _TURNS or not _fixed(inner)):
            said = f"a repetition of a group of more than one length, or of more than {_TURNS} turns"
            expected = "expected that of a character, a class or a group without choices"
            raise ValueError(f"{said}, which some texts make endlessly slow; {expected}; write it flat")
        if least > 1 and most > _ENDS:
            raise ValueError(f"{{{least},}} in a regular expression; expected an end; write x{{{least}}}x* for x{{{least},}}")
    if text.startswith(".*"):
        raise ValueError("a regular expression that begins with .*; expected what to find, which may stand anywhere; leave .* out")
    if sum(most > _ENDS for _, most, _ in repeats) > _OPEN:
        raise ValueError(f"more than {_OPEN} of * and +, which long texts make slow; expected {_OPEN}; write .{{0,20}} where it is enough")
    choices = [most - least + 1 for least, most, _ in repeats if most <= _ENDS]
    if prod(choices + [len(argument[1]) for name, argument in nodes if name == "BRANCH"]) > _WAYS:
        raise ValueError(f"more than {_WAYS} ways through alternatives and what is optional; expected fewer; make it two conditions")


def _nodes(parsed: Any) -> Iterator[tuple[str, Any]]:
    """Each node of a parsed expression, those within others too."""
    for operator, argument in parsed:
        name = str(operator)
        yield name, argument
        inner = [argument[-1]] if name == "SUBPATTERN" or name.endswith("_REPEAT") else argument[1] if name == "BRANCH" else ()
        for part in inner:
            yield from _nodes(part)


def _one(parsed: Any) -> bool:
    """Whether it is one character."""
    return len(parsed) == 1 and str(parsed[0][0]) in _ONE


def _fixed(parsed: Any) -> bool:
    """Whether it has one length, and one way to have it."""
    found = list(_nodes(parsed))
    repeats = [argument for name, argument in found if name.endswith("_REPEAT")]
    names = {name for name, _ in found}
    return all(least == most for least, most, _ in repeats) and "BRANCH" not in names and not names.isdisjoint(_ONE)
