"""Says in our sentences, and with the line, what pydantic found wrong with a spec."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from project.problems import LocatedMapping, LocatedText, Location, Problem, listed, quoted, suggestion

# Patterns that specs use, in words.
_PATTERNS = {
    r"^[a-z][a-z0-9-]{0,40}$": "lower-case letters, digits and dashes, a letter first, at most 41",
    r"^[a-z_][a-z0-9_]{0,62}$": "lower-case letters, digits and underscores, no digit first, at most 63",
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
    "too_short": "at least {min_length}",
    "too_long": "at most {max_length}",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "literal_error": "{expected}",
    "union_tag_invalid": "one of {expected_tags}",
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


def say_problems(error: ValidationError, data: LocatedMapping) -> list[Problem]:
    """A problem for each thing that pydantic refused in a document."""
    return [_problem(detail, data) for detail in error.errors(include_url=False)]


def without_unknown_keys(error: ValidationError, data: LocatedMapping) -> LocatedMapping | None:
    """The document less the keys that pydantic did not know; None if more is wrong with it."""
    if any(detail["type"] != "extra_forbidden" for detail in error.errors()):
        return None
    for detail in error.errors():
        parent, _, _ = _find(data, detail["loc"][:-1])
        parent.pop(str(detail["loc"][-1]), None)
    return data


def _problem(detail: ErrorDetails, data: LocatedMapping) -> Problem:
    path = [part for part in detail["loc"] if part != "[key]"]
    match detail["type"]:
        case "extra_forbidden":
            parent, _, _ = _find(data, path[:-1])
            return Problem(parent.key_locations.get(str(path[-1]), parent.location), _unknown_key(str(path[-1]), parent))
        case "missing":
            parent, location, _ = _find(data, path[:-1])
            return Problem(location, _missing_key(str(path[-1]), parent))
    _, location, key = _find(data, path)
    if detail["type"] == "value_error":
        return Problem(location, str(detail.get("ctx", {}).get("error", detail["msg"])))
    if path[0] == "name" and path[0] in data.given:
        return Problem(location, f"the name taken from the path is {quoted(detail['input'])}; expected {_expected(detail)}; rename it")
    if "[key]" in detail["loc"]:
        return Problem(location, f"key {quoted(path[-1])}; expected {_expected(detail)}; rename it")
    return Problem(location, f"{key} {_shown(detail['input'])}; expected {_expected(detail)}; {_fix(detail)}")


def _find(data: LocatedMapping, path: Sequence[int | str]) -> tuple[Any, Location, str]:
    """What stands at a path of pydantic's, where, and its key. Parts that are not in the document (tags of unions) are passed over."""
    value: Any = data
    location, key = data.location, "the document"
    for part in path:
        if isinstance(value, LocatedMapping) and part in value:
            location = value.key_locations.get(str(part), location)
            value, key = value[str(part)], f'"{part}"'
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value, key = value[part], f"entry {part + 1} of {key.rsplit(' of ', 1)[-1]}"
            location = value.location if isinstance(value, (LocatedMapping, LocatedText)) else location
    return value, location, key


def _unknown_key(key: str, parent: LocatedMapping) -> str:
    fields = parent.spec.model_fields if parent.spec else {}
    known = sorted(alias for name, field in fields.items() if (alias := field.alias or name) not in parent.given)
    # `{type: numeric(10,2)}` is read as two keys.
    comma = "put the text with the comma in quotes" if key.endswith(")") else "remove it"
    fix = suggestion(key, known, comma)
    return f"unknown key {quoted(key)}; expected one of {listed(known)}; {fix}"


def _missing_key(key: str, parent: LocatedMapping) -> str:
    schema = parent.spec.model_json_schema() if parent.spec else {}
    kind = _JSON_TYPES.get(schema.get("properties", {}).get(key, {}).get("type"), "a value")
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
        return _PATTERNS.get(context["pattern"], f"text that matches {context['pattern']}")
    template = _EXPECTED.get(detail["type"])
    return template.format(**context) if template else detail["msg"][:1].lower() + detail["msg"][1:]


def _fix(detail: ErrorDetails) -> str:
    if detail["input"] is None:
        return "write it or remove the key"
    if detail["type"] == "string_type" and isinstance(detail["input"], int | float):
        return "put it in quotes"
    return "correct it"
