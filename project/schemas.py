"""JSON schemas of the spec files, for editors and for the language reference: the models as an author may write them.

What a key means is its Field(description=…), or the comment beside or above it in the model: written once, beside the code.
"""

import inspect
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from project.dashboards import Dashboard
from project.events.models import EventSchema
from project.models import Project, Receiver, Source, Stream, View
from project.specs import Spec

FOLDER = Path(__file__).parent / "schemas"
# Model, what its file's place in the project gives, what else the loader can add.
_FILES: dict[str, tuple[type[Spec], tuple[str, ...], tuple[str, ...]]] = {
    "project": (Project, ("sources", "events", "streams", "consumers", "views", "dashboards"), ("name", "schema")),
    "source": (Source, ("name",), ("connector",)),
    "event": (EventSchema, ("name",), ()),
    "stream": (Stream, ("name",), ()),
    "consumer": (Receiver, ("name",), ()),
    "view": (View, ("name", "sql", "reads"), ()),  # the header in its leading comment
    "dashboard": (Dashboard, ("name",), ()),
}
# Keys that mean the same in every spec that has them.
_USUAL = {
    "title": "What people read as its name.",
    "description": "What it is and what counts, in a sentence or two; shown beside the data.",
    "source": "The source: the name of a file in `sources/`.",
    "view": "The view: the name of a file in `views/`.",
    "column": "A column of the view.",
    "columns": "Columns of the view.",
    "metric": "A metric of the view.",
    "x_metric": "The metric along the axis.",
    "y_metric": "The metric upward.",
    "size_metric": "The metric that a bubble's area shows.",
    "lines": "The metrics that are drawn as lines.",
    "totals": "Sums of the rows and columns beside them.",
    "bins": "How many bars the numbers are put into.",
    "viz_type": "Superset's name of the kind.",
    "params": "What Superset's editor writes for it.",
    "y": "The column upward.",
    "dimensions": "The columns that it is divided by.",
    "longitude": "The column with degrees east.",
    "latitude": "The column with degrees north.",
    "from_longitude": "The column with degrees east of an arc's start.",
    "from_latitude": "The column with degrees north of an arc's start.",
    "to_longitude": "The column with degrees east of an arc's end.",
    "to_latitude": "The column with degrees north of an arc's end.",
    "tab": "What people read on it.",
    "metrics": "Metrics of the view.",
    "type": "Which kind it is.",
    "label": "How Superset names it.",
    "color": "Its colour.",
    "items": "What stands in it, from left to right.",
    "rows": "Its rows, from top to bottom.",
    "filters": "Filters beside it.",
    "limit": "At most so many.",
    "name": "What people read as its name.",
    "x": "The column along the axis.",
    "grain": "How long one point is.",
    "dimension": "The column that it is divided by.",
    "horizontal": "Bars from left to right, with room for long names.",
    "subtitle": "A line below the number.",
    "at_most": "The bound.",
    "multiple": "Whether several values can be chosen at once.",
    "markdown": "The text, in Markdown.",
    "key": "The columns of its primary key at the source, in that order.",
    "schema": "Its schema at the source.",
    "Project.name": "Marks all that the project makes; by default the folder's name.",
    "Source.database": "Its name on the server that the environment gives for the source.",
    "Source.tables": "The captured tables, by their names at the source.",
    "SourceTable.columns": "The captured columns in their order, by their names at the source.",
    "Column.type": "PostgreSQL's type, one of those below.",
    "Stream.kind": "What the job does.",
    "Stream.filters": "Of kind filters: who gets which events.",
    "Stream.tables": "Table at the source → analytics table.",
    "Target.table": "The name of the analytics table, unique in the project.",
    "View.columns": "What each column of the select means, in the select's order.",
    "View.metrics": "Numbers that charts may show of it.",
    "View.time_column": "The column that time filters and lines go by.",
    "Row.items": "What stands in it, from left to right; at most 12 columns wide in all.",
}
_FIELD = re.compile(r"^    (\w+):")
_COMMENT = re.compile(r"^    # (.*)$")
_BESIDE = re.compile(r"  # (?!noqa|fmt|type:)(.*)$")


def editor_schemas() -> dict[str, dict[str, Any]]:
    """Each kind of file → its schema."""
    return {kind: _schema(*parts) for kind, parts in _FILES.items()}


def as_text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(model: type[Spec], given: tuple[str, ...], defaulted: tuple[str, ...]) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    for definition in (schema, *(found for name, found in definitions.items() if name in _models())):
        _describe(definition)
    for key in given:
        del schema["properties"][key]
    schema["required"] = [key for key in schema["required"] if key not in given + defaulted]
    return _needed({"$schema": "http://json-schema.org/draft-07/schema#", **schema})


def _describe(definition: dict[str, Any]) -> None:
    model = _models()[definition["title"]]
    for name, field in model.model_fields.items():
        key = field.alias or name
        found = definition["properties"][key]
        found.pop("title", None)
        if text := field.description or _comments(model).get(name) or _USUAL.get(f"{model.__name__}.{key}") or _USUAL.get(key):
            found["description"] = _sentence(text)
        if "patternProperties" in found:
            found["additionalProperties"] = False


def _sentence(text: str) -> str:
    text = re.sub(r"\bNone:", "left out:", text)
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _needed(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the definitions that only removed keys led to."""
    definitions, seen, text = schema.get("$defs", {}), set[str](), json.dumps({**schema, "$defs": {}})
    while new := set(re.findall(r'"#/\$defs/(\w+)"', text)) - seen:
        seen |= new
        text = json.dumps([definitions[name] for name in sorted(new)])
    return {**schema, "$defs": {name: definitions[name] for name in sorted(seen)}}


@cache
def _models(base: type[Spec] = Spec) -> dict[str, type[Spec]]:
    return {model.__name__: model for sub in base.__subclasses__() for model in (sub, *_models(sub).values())}


@cache
def _comments(model: type[Spec]) -> dict[str, str]:
    """Field → the comment beside it, or above it, in the model's own source and in that of the models below it."""
    below = [base for base in model.__bases__ if issubclass(base, Spec) and base is not Spec]
    found = {name: text for base in below for name, text in _comments(base).items()}
    above: list[str] = []
    for line in inspect.getsource(model).splitlines():
        if comment := _COMMENT.match(line):
            above.append(comment[1])
            continue
        if field := _FIELD.match(line):
            beside = _BESIDE.search(line)
            if beside or above:
                found[field[1]] = beside[1] if beside else " ".join(above)
        above = []
    return found
