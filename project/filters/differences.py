"""What a change of filters means, in words: which events come and go for whom."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from project.filters.conditions import Condition, Node
from project.filters.models import Filter
from project.filters.paths import parse_path

WORDS = {"description", "name", "owner", "status", "approval"}  # beside how a filter judges, that of which changes are kept
_NAMED = {"outputTopic": "topic", "consumerId": "consumer", "conditionLogic": "conditions joined by", "version": "version"}
_ELEMENTS = {"any": "any element", "all": "every element"}


def words(node: Node) -> str:
    """A condition or a group as one reads it."""
    if isinstance(node, Condition):
        zone = f" in {node.timeZone}" if "timeZone" in node.model_fields_set else ""
        kind = f" as {node.valueType}" if node.valueType else ""
        each = f" in {_ELEMENTS[node.quantifier]}" if parse_path(node.field).each else ""
        return f"{node.field} {node.asked}{kind}{zone}{each}"
    name = "all of" if node.all else "any of" if node.any else "not"
    over = f" in {_ELEMENTS[node.quantifier]} of {node.over}" if node.over else ""
    return f"{name} ({', '.join(map(words, node.nodes))}){over}"


def differences(old: Mapping[str, Filter], new: Mapping[str, Filter]) -> Iterator[str]:
    """Of the filters that run, by their ids: what begins, ends and changes; one line each."""
    for name in sorted(old.keys() - new.keys()):
        yield f"filter {name} ends: {_reach(old[name])} get no more of its events"
    for name, one in new.items():
        if name not in old:
            yield f"filter {name}, version {one.version}{_approved(one)}, begins: {_reach(one)} get what meets {words(one.tree)}"
        elif changes := [*_changes(old[name], one)]:
            yield f"filter {name} changes for {_reach(one)}: {'; '.join(changes)}"


def said_otherwise(old: Filter, new: Filter) -> dict[str, Any]:
    """What a filter says anew beside how it judges."""
    before, after = (one.model_dump(mode="json", include=WORDS) for one in (old, new))
    return {key: value for key, value in after.items() if value != before[key]}


def told_anew(name: str, changed: Mapping[str, Any]) -> str:
    """That a filter which judges as it did is told of otherwise."""
    return f"filter {name} says from now on: {in_words(changed)}"


def in_words(changed: Mapping[str, Any]) -> str:
    """Changed keys with their new values."""
    return ", ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in changed.items())


def _changes(old: Filter, new: Filter) -> Iterator[str]:
    for key, said in _NAMED.items():
        if (before := getattr(old, key)) != (after := getattr(new, key)):
            yield f"{said} {before} → {after}{_approved(new) if key == 'version' else ''}"
    before, after = list(map(words, old.conditions)), list(map(words, new.conditions))
    yield from (f"no longer asks {one}" for one in before if one not in after)
    yield from (f"now asks {one}" for one in after if one not in before)
    outputs = [{topic: words(node) for topic, node in one.outputs if node} for one in (old, new)]
    for topic in sorted(outputs[0].keys() | outputs[1].keys()):
        if outputs[0].get(topic) != outputs[1].get(topic):
            yield f"topic {topic}: {outputs[0].get(topic, 'not yet')} → {outputs[1].get(topic, 'no more')}"


def _approved(one: Filter) -> str:
    return f", approved by {one.approval.by}" if one.approval else ""


def _reach(one: Filter) -> str:
    return f"consumer {one.consumerId} and whoever else reads {', '.join(topic for topic, _ in one.outputs)}"
