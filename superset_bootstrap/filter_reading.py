"""A native filter as Superset exports it → our spec, or why it is left out. Pure."""

from collections.abc import Mapping
from typing import Any

from project.models import View


def filter_spec(document: Mapping[str, Any], views: Mapping[str, View]) -> dict[str, Any] | str:
    """`views` are those of the project, by the uuid of their dataset."""
    name, kind = document.get("name", ""), document.get("filterType")
    common = {"name": name, "description": (document.get("description") or "").strip()}
    mask = document.get("defaultDataMask") or {}
    value = (mask.get("filterState") or {}).get("value")
    if kind == "filter_time":
        return _written(common | {"type": "time_range", "default": None if value == "No filter" else value})
    if kind not in ("filter_select", "filter_range"):
        return f"filter {name!r}: its kind {kind} has no word in a spec"
    if beyond := _beyond(document):
        return f"filter {name!r}: it {' and '.join(beyond)}, for which a spec has no word"
    target = (document.get("targets") or [{}])[0]
    view = views.get(target.get("datasetUuid", ""))
    column = (target.get("column") or {}).get("name")
    if view is None or column not in view.columns:
        return f"filter {name!r}: its column is of no view of the project"
    common |= {"view": view.name, "column": column}
    if kind == "filter_range":
        low, high = value or (None, None)
        return _written(common | {"type": "range", "at_least": low, "at_most": high})
    controls = document.get("controlValues") or {}
    required, multiple = bool(controls.get("enableEmptyFilter")), bool(controls.get("multiSelect", True))
    return _written(common | {"type": "select", "multiple": multiple, "default": value or [], "required": required})


def _beyond(document: Mapping[str, Any]) -> list[str]:
    """What it does that our filters do not."""
    controls = document.get("controlValues") or {}
    found = {
        "excludes what is chosen": controls.get("inverseSelection"),
        "chooses the first value by itself": controls.get("defaultToFirstItem"),
        "has filters of its own": document.get("adhoc_filters") or document.get("time_range") not in (None, "No filter"),
        "follows another filter": document.get("cascadeParentIds"),
    }
    return [words for words, does in found.items() if does]


def _written(fields: dict[str, Any]) -> dict[str, Any]:
    """Without what is so by default."""
    usual = {"description": "", "multiple": True, "required": False}
    order = ("name", "type", "view", "column", "description", "multiple", "default", "required", "at_least", "at_most")
    kept = {key: fields[key] for key in order if key in fields}
    return {key: value for key, value in kept.items() if value not in (None, []) and (key not in usual or value != usual[key])}
