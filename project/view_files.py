"""A view's file: a YAML header in the leading comment, then one select. Lines count in the file for both."""

import re

from project.located_yaml import read_yaml
from project.problems import LocatedMapping, Location, Problem
from project.selects import Select, SelectError, read_select

_HEADER = re.compile(r"\s*/\*(.*?)\*/", re.DOTALL)


def read_view(text: str, file: str, problems: list[Problem]) -> tuple[LocatedMapping | None, Select | None]:
    """The header and the select, each None if it cannot be used; what is wrong goes to `problems`."""
    header = _HEADER.match(text)
    if not header:
        found = "the comment is never closed" if text.lstrip().startswith("/*") else "there is no leading comment"
        problems.append(Problem(Location(file, 1), f"{found}; expected /* title, description, columns */ and then the select; write it"))
        return None, None
    # Both halves keep their place in the file, so that lines and indentation are those the author sees.
    data = read_yaml(_blank(text[: header.start(1)]) + header[1], file, problems)
    try:
        return data, read_select(_blank(text[: header.end()]) + text[header.end() :])
    except SelectError as error:
        problems.append(Problem(Location(file, error.line), str(error)))
        return data, None


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
