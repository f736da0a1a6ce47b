"""Says in our sentences, and with the line, what pydantic found wrong with a spec."""

import difflib
import re
from collections.abc import Sequence
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from project.problems import LocatedMapping, LocatedText, Location, Problem, listed, quoted, suggestion
from project.specs import Spec

SpecT = TypeVar("SpecT", bound=Spec)

# Patterns that specs use, in words.
PATTERNS = {
    r"^[a-z][a-z0-9-]{0,40}$": "lower-case letters, digits and dashes, a letter first, at most 41",
    r"^[a-z_][a-z0-9_]{0,62}$": "lower-case letters, digits and underscores, no digit first, at most 63",
    r"^[A-Za-z_][A-Za-z0-9_]{0,62}$": "letters, digits and underscores, no digit first, at most 63",
    r"^[a-z][a-z0-9_]{0,62}$": "lower-case letters, digits and underscores, a letter first, at most 63",
    r"^[a-z][a-z0-9_-]{0,62}$": "lower-case letters, digits, dashes and underscores, a letter first, at most 63",
    r"^[a-z0-9][a-z0-9-]{0,99}$": "lower-case letters, digits and dashes, no dash first, at most 100",
    r"^[A-Za-z_][A-Za-z0-9_.-]{0,99}(@[1-9][0-9]{0,3})?$": "letters, digits, _ . and -, no digit first; @ and a number of an old version",
    r"^[^'\\\x00-\x1f]{1,200}$": "1 to 200 characters without quotes and backslashes",
    r"^#[0-9a-fA-F]{6}$": 'a colour such as "#3fa66b"',
    r"^-?[^-]": "a name, with - before it for largest first",
}
_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping of key: value lines",
    "model_type": "a mapping of key: value lines",
    "tuple_type": "a list",
    "list_type": "a list",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
    "too_short": "{min_length} or more of them",
    "too_long": "{max_length} or fewer of them",
    "string_too_short": "{min_length} or more characters",
    "string_too_long": "{max_length} or fewer characters",
    "literal_error": "{expected}",
    "enum": "{expected}",
}
_JSON_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def read_spec(kind: type[SpecT], data: LocatedMapping | None, problems: list[Problem]) -> SpecT | None:
    """The spec that a document says, read on behind misspelled keys; what is wrong goes to `problems`."""
    while data is not None:
        try:
            return kind.model_validate(data)
        except ValidationError as error:
            problems += say_problems(error, data)
            data = mended(error, data)
    return None


def say_problems(error: ValidationError, data: LocatedMapping) -> list[Problem]:
    """A problem for each thing that pydantic refused in a document, less those that only follow from another one."""
    details = error.errors(include_url=False)
    follow = {(*parent, key) for parent, _, key in _misspelled(details)}
    if any(detail["loc"] == ("name",) for detail in details):
        follow |= {(key,) for key in data.keys() - data.key_locations.keys() - data.given}  # defaults made of a wrong name
    return [_problem(detail, data) for detail in details if detail["loc"] not in follow and not _counts_wrong_entries(detail)]


def mended(error: ValidationError, data: LocatedMapping) -> LocatedMapping | None:
    """The document as it was probably meant: unknown keys renamed to missing ones or removed. None if more is wrong with it.

    So one misspelled key does not hide all other problems of its file, and of those that refer to it.
    """
    details = error.errors(include_url=False)
    if any(detail["type"] not in ("extra_forbidden", "missing") for detail in details):
        return None
    misspelled = _misspelled(details)
    if len(misspelled) < sum(detail["type"] == "missing" for detail in details):
        return None
    for parent, wrong, right in misspelled:
        mapping, _, _ = _find(data, parent)
        mapping[right], mapping.key_locations[right] = mapping[wrong], mapping.key_locations[wrong]
    for detail in details:
        mapping, _, _ = _find(data, detail["loc"][:-1])
        if detail["type"] == "extra_forbidden":
            mapping.pop(str(detail["loc"][-1]))
    return data


def _misspelled(details: list[ErrorDetails]) -> list[tuple[tuple[int | str, ...], str, str]]:
    """Unknown keys that are near a missing one of the same mapping: the mapping's path, the wrong key, the right key."""
    missing = {detail["loc"]: str(detail["loc"][-1]) for detail in details if detail["type"] == "missing"}
    found: list[tuple[tuple[int | str, ...], str, str]] = []
    for parent, wrong in ((detail["loc"][:-1], str(detail["loc"][-1])) for detail in details if detail["type"] == "extra_forbidden"):
        near = difflib.get_close_matches(wrong, [key for loc, key in missing.items() if loc[:-1] == parent], n=1)
        if near:
            del missing[*parent, near[0]]
            found.append((parent, wrong, near[0]))
    return found


def _counts_wrong_entries(detail: ErrorDetails) -> bool:
    # pydantic counts only entries without a problem, and each of the others is a problem already.
    return detail["type"] == "too_short" and len(detail["input"]) >= detail.get("ctx", {})["min_length"]


def _problem(detail: ErrorDetails, data: LocatedMapping) -> Problem:
    detail = _of_the_tag(detail)
    # What is wrong with a key itself is its input; one that is called [key] is a place like any other.
    of_key = detail["type"] != "extra_forbidden" and detail["loc"][-2:] == (detail["input"], "[key]")
    path = detail["loc"][: -1 if of_key else None]
    parent, beside, _ = _find(data, path[:-1])
    _, location, key = _find(data, path)
    match detail["type"]:
        case "extra_forbidden":
            return Problem(parent.key_locations[str(path[-1])], _unknown_key(str(path[-1]), parent))
        case "missing":
            return Problem(beside, _missing_key(str(path[-1]), parent))
        case "value_error":
            return Problem(location, str(detail.get("ctx", {}).get("error", detail["msg"])))
    if path[0] in data.given:
        what, way_out = f"the {path[0]} taken from the path is {quoted(detail['input'])}", "rename it"
    elif len(path) == 1 and path[0] not in data.key_locations:
        what, way_out = f"the {path[0]} made of names is {quoted(detail['input'])}", f"shorten one, or write `{path[0]}`"
    elif of_key:
        what, way_out = f"key {quoted(path[-1])}", "rename it"
    else:
        what, way_out = f"{key} {_shown(detail['input'])}", _way_out(detail)
    return Problem.say(location, what, f"expected {_expected(detail)}", way_out)


def _of_the_tag(detail: ErrorDetails) -> ErrorDetails:
    """What pydantic says of a mapping whose tag is wrong, said of the key that holds the tag."""
    context = detail.get("ctx", {})
    loc = (*detail["loc"], str(context.get("discriminator", "")).strip("'"))
    match detail["type"]:
        case "union_tag_invalid":
            return {**detail, "type": "literal_error", "loc": loc, "input": context["tag"], "ctx": {"expected": context["expected_tags"]}}
        case "union_tag_not_found" if isinstance(detail["input"], dict):
            return {**detail, "type": "missing", "loc": loc}
        case "union_tag_not_found":
            return {**detail, "type": "dict_type"}
    return detail


def _find(data: LocatedMapping, path: Sequence[int | str]) -> tuple[Any, Location, str]:
    """What stands at a path of pydantic's, where, and its key. Parts that are not in the document (tags of unions) are passed over."""
    value: Any = data
    location, key, tagged = data.location, "the document", False
    for part in path:
        if isinstance(value, LocatedMapping) and part == _tag(value) and not tagged:
            tagged = True  # what follows is a key, even one that is called like the tag
            continue
        tagged = False
        if isinstance(value, LocatedMapping) and part in value:
            location = value.key_locations.get(str(part), location)
            value, key = value[str(part)], f'"{part}"'
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value, key = value[part], f"entry {part + 1} of {key.rsplit(' of ', 1)[-1]}"
            location = value.location if isinstance(value, (LocatedMapping, LocatedText)) else location
    return value, location, key


def _tag(data: LocatedMapping) -> str | None:
    """By which a union would know the spec that a mapping was read as: the only `type` it can have, or else its class."""
    if data.spec is None:
        return None
    field = data.spec.model_fields.get("type")
    kinds = get_args(field.annotation) if field else ()
    return kinds[0] if len(kinds) == 1 else data.spec.__name__


def _unknown_key(key: str, parent: LocatedMapping) -> str:
    fields = parent.spec.model_fields if parent.spec else {}
    known = sorted(alias for name, field in fields.items() if (alias := field.alias or name) not in parent.given)
    # `{type: numeric(10,2)}` is read as two keys.
    comma = "put the text with the comma in quotes" if key.endswith(")") else "remove it"
    fix = suggestion(key, known, comma)
    return f"unknown key {quoted(key)}; expected one of {listed(known)}; {fix}"


def _missing_key(key: str, parent: LocatedMapping) -> str:
    whole: dict[str, Any] = parent.spec.model_json_schema() if parent.spec else {}
    # A spec that holds others of itself stands among its own definitions.
    own = whole.get("$defs", {}).get(whole.get("$ref", "").rpartition("/")[2], whole)
    schema = own.get("properties", {}).get(key, {})
    kind = quoted(schema["const"]) if "const" in schema else _JSON_TYPES.get(schema.get("type", ""), "a value")
    return f'missing key "{key}"; expected {kind}; add "{key}: ..."'


def _shown(value: Any) -> str:
    match value:
        case None:
            return "is empty"
        case bool():
            return f"is {str(value).lower()}"
        case dict():
            return "is a mapping" if value else "is an empty mapping"
        case list():
            return "is a list" if value else "is an empty list"
        case str():
            return f"is {quoted(value)}"
        case _:
            return f"is {value}"


def _expected(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if detail["type"] == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], f"text that matches {context['pattern']}")
    template = _EXPECTED.get(detail["type"])
    text = template.format(**context) if template else detail["msg"][:1].lower() + detail["msg"][1:]
    return text.replace("'", '"')


def _way_out(detail: ErrorDetails) -> str:
    if detail["input"] is None:
        return "write it"
    if detail["type"] == "string_type" and isinstance(detail["input"], int | float):
        return "put it in quotes"
    if detail["type"] == "literal_error" and isinstance(detail["input"], str):
        return suggestion(detail["input"], re.findall("'([^']*)'", detail.get("ctx", {})["expected"]), "choose one")
    return "correct it"
