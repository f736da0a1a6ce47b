"""Regular expressions that mean the same to Python and to Java, and that no text can make slow."""

import re
from typing import Any

_LONGEST = 512
# Nodes of the parsed expression that both engines read alike and that need no memory of what matched.
_PLAIN = {
    "LITERAL", "NOT_LITERAL", "ANY", "IN", "RANGE", "NEGATE", "CATEGORY", "AT", "BRANCH", "SUBPATTERN", "MAX_REPEAT", "MIN_REPEAT",
}  # fmt: skip
_WORDS = {"GROUPREF": "a back-reference", "ASSERT": "look-around", "ASSERT_NOT": "look-around", "GROUPREF_EXISTS": "a back-reference"}
# Flags, named groups, \Z and classes by name: both engines have them, each in its own way.
_DIFFERENT = re.compile(r"(?<!\\)(\(\?(?!:|=|!|<[=!])|\\[ZpPhHRXQEGN])")


def check_pattern(text: str) -> None:
    """Raises ValueError with what is wrong."""
    if len(text) > _LONGEST:
        raise ValueError(f"a regular expression of {len(text)} characters; expected at most {_LONGEST}; shorten it")
    try:
        parsed = re.compile(text) and re._parser.parse(text)  # type: ignore[attr-defined] - the only reader of this language there is
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"no regular expression: {error}; expected one of Java and Python; correct it") from error
    if _DIFFERENT.search(text):
        raise ValueError("a flag, name or class that Python and Java write differently; expected what both know; write it out")
    _walk(parsed, repeated=False)


def _walk(node: Any, repeated: bool) -> None:
    for operator, argument in node:
        name = str(operator)
        if name not in _PLAIN:
            raise ValueError(f"{_WORDS.get(name, name.lower())} in a regular expression; expected none; write it another way")
        if name.endswith("_REPEAT"):
            _, most, inner = argument
            unbounded = most > 1
            if repeated and unbounded:
                raise ValueError("a repetition inside a repetition, which some texts make endlessly slow; expected none; write it flat")
            _walk(inner, repeated or unbounded)
        elif name == "SUBPATTERN":
            _walk(argument[-1], repeated)
        elif name == "BRANCH":
            for branch in argument[1]:
                _walk(branch, repeated)
