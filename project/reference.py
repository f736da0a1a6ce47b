"""The language reference as Markdown, from the schemas of the spec files, from examples and from mistakes. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from project.models import Project
from project.schemas import editor_schemas
from project.spec_errors import PATTERNS
from project.specs import Spec
from project.types import SUPPORTED, TypeMapping, map_type

_TITLES = {
    "project": ("project.yaml", "The project", "project.yaml"),
    "source": ("sources/*.yaml", "A source", "sources/shop.yaml"),
    "event": ("events/*.yaml", "An event", "events/LoanCreated.yaml"),
    "stream": ("streams/*.yaml", "A stream", "streams/shop.yaml"),
    "consumer": ("consumers/*.yaml", "A consumer", "consumers/loan-consumer.yaml"),
    "view": ("views/*.sql", "A view", "views/sales_by_day.sql"),
    "dashboard": ("dashboards/*.yaml", "A dashboard", "dashboards/sales.yaml"),
}
_HEAD = """# The language
Every key of every file of a project. Made from the models in `project/`; `UPDATE_GOLDEN=1 make test ARGS=project` makes it anew.

A project is a folder: `project.yaml`, `sources/*.yaml`, `events/*.yaml`, `streams/*.yaml`, `consumers/*.yaml`, `views/*.sql`,
`dashboards/*.yaml`.
A file's stem names what it declares.
YAML is read as version 1.2 means it: `no` and `on` are texts. Anchors, aliases, tags and keys that are not listed here are refused.
`headrace validate` says every mistake with its file and line. Editors complete and check with the schemas in `project/schemas/`;
`headrace init` gives a project its own copy.
"""
_TYPE_WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": ""}


def language_page(files: Mapping[str, str], projects: Sequence[Project], mistakes: Mapping[str, Sequence[str]]) -> str:
    """The page. `files` are those of one good project, `projects` give each key an example, `mistakes` name what was said of them."""
    examples = _examples(projects)
    parts = [_HEAD]
    for kind, schema in editor_schemas().items():
        path, title, example = _TITLES[kind]
        parts += [f"## {title}: `{path}`", *_definition(schema, examples)]
        described = [item for item in schema["$defs"].items() if "properties" in item[1]]
        for name, definition in sorted(described, key=lambda item: _order(schema, item[0])):
            parts += [f"### {_words(name)}", *_definition(definition, examples)]
        parts += [*_types(kind), f"An example, `{example}`:\n```{'sql' if kind == 'view' else 'yaml'}\n{files[example].rstrip()}\n```\n"]
    return "\n".join([*parts, "## Mistakes, and what is said of them", *_mistakes(mistakes)])


def _definition(definition: Mapping[str, Any], examples: Mapping[tuple[str, str], str]) -> Iterator[str]:
    yield f"{definition['description']}\n"
    yield "| key | what | default | means | for example |\n|---|---|---|---|---|"
    for key, said in definition["properties"].items():
        default = "**needed**" if key in definition.get("required", ()) else _default(said)
        example = examples.get((definition["title"], key), "")
        yield "| " + " | ".join([f"`{key}`", _kind(said), default, _prose(said.get("description", "")), example]) + " |"
    yield ""


def _default(said: Mapping[str, Any]) -> str:
    value = said.get("default")
    return "" if value is None or value in ("", [], {}) else f"`{json.dumps(value).strip(chr(34))}`"


def _kind(said: Mapping[str, Any]) -> str:
    """What a value can be, in words."""
    match said:
        case {"$ref": "#/$defs/JsonValue"}:
            return "anything"
        case {"$ref": ref}:
            name = _words(ref.rpartition("/")[2])
            return f"[{name}](#{name.replace(' ', '-')})"
        case {"anyOf": choices} | {"oneOf": choices}:
            return " or ".join(filter(None, map(_kind, choices)))
        case {"const": value}:
            return f"`{value}`"
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"type": "array"}:
            return f"list of {_kind(said.get('items', {}))}" + (", not empty" if said.get("minItems") else "")
        case {"type": "object"}:
            value = next(iter(said.get("patternProperties", {}).values()), said.get("additionalProperties", {}))
            return f"mapping of name → {_kind(value)}" + (", not empty" if said.get("minProperties") else "")
        case {"pattern": pattern}:
            return f"text: {PATTERNS.get(pattern, f'`{pattern}`')}"
    return _TYPE_WORDS.get(said.get("type", ""), "anything") + _bounds(said)


def _bounds(said: Mapping[str, Any]) -> str:
    low, high = said.get("minimum"), said.get("maximum")
    return f", {low} to {high:,}" if low is not None and high is not None else f", at least {low}" if low is not None else ""


def _types(kind: str) -> Iterator[str]:
    """The table of types, as the one mapping in project/types.py has it."""
    if kind != "source":
        return
    yield "### types"
    yield "What a column can be, and what becomes of it on its way. Instants become UTC; a `STRING` is a text that PostgreSQL reads back.\n"
    yield "| at the source | in Flink | in the analytics database |\n|---|---|---|"
    for mapping in filter(None, map(_mapping, SUPPORTED)):
        yield f"| `{mapping.postgres}` | `{mapping.flink}` | `{mapping.analytics}` |"
    yield ""


def _mapping(name: str) -> TypeMapping | None:
    for text in (name, name.rpartition(" ")[2]):  # "arrays such as text[]"
        try:
            return map_type(text)
        except ValueError:
            continue
    return None


def _mistakes(mistakes: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield "Each line is one mistake in the project `shop`, and all that is said of it.\n"
    yield "| mistake | said |\n|---|---|"
    for name, said in mistakes.items():
        yield f"| {_cell(name)} | {'<br>'.join(f'`` {_cell(line)} ``' for line in said)} |"
    yield ""


def _examples(projects: Sequence[Project]) -> dict[tuple[str, str], str]:
    """(Spec class, key) → the first short value that somebody wrote."""
    found: dict[tuple[str, str], str] = {}
    for spec in (spec for project in projects for spec in _specs(project)):
        for name in sorted(spec.model_fields_set):
            key = type(spec).model_fields[name].alias or name
            value = spec.model_dump(mode="json", include={name}, exclude_unset=True)[name]
            if len(text := json.dumps(value, ensure_ascii=False)) <= 60 and not isinstance(value, dict):
                found.setdefault((type(spec).__name__, key), f"`{_cell(text.strip(chr(34)))}`")
    return found


def _specs(value: Any) -> Iterator[Spec]:
    if isinstance(value, Spec):
        yield value
        value = [getattr(value, name) for name in type(value).model_fields]
    for part in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        yield from _specs(part)


def _order(schema: Mapping[str, Any], name: str) -> tuple[int, str]:
    """Definitions as one meets them: what the file itself names first."""
    return (0 if f'/{name}"' in json.dumps(schema["properties"]) else 1, name)


def _words(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _prose(text: str) -> str:
    return _cell(text).replace("<", "&lt;")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
