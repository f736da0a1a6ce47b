"""Schemas and events that hypothesis makes up."""

from typing import Any

from hypothesis import strategies as st

from project.events.attributes import Attribute
from project.events.models import EventSchema

NAMES = ("a", "b", "c")
WORDS = ("x", "yy", "zzz")
_REQUIRED = st.booleans()


def _sorted_pair(low: str, high: str) -> st.SearchStrategy[dict[str, int]]:
    pairs = st.tuples(st.none() | st.integers(0, 2), st.none() | st.integers(2, 4))
    return pairs.map(lambda pair: {key: end for key, end in zip((low, high), pair, strict=True) if end is not None})


_SIMPLE = st.one_of(
    st.builds(lambda bounds, needed: {"type": "string", "required": needed, **bounds}, _sorted_pair("minLength", "maxLength"), _REQUIRED),
    st.builds(lambda bounds, needed: {"type": "number", "required": needed, **bounds}, _sorted_pair("minimum", "maximum"), _REQUIRED),
    st.builds(
        lambda words, needed: {"type": "string", "required": needed, "enum": words},
        st.lists(st.sampled_from(WORDS), min_size=1, unique=True), _REQUIRED,
    ),
    st.builds(lambda name, needed: {"type": name, "required": needed}, st.sampled_from(["boolean", "timestamp"]), _REQUIRED),
)  # fmt: skip
ATTRIBUTES = st.recursive(
    _SIMPLE,
    lambda inside: st.one_of(
        st.builds(
            lambda fields, needed: {"type": "object", "required": needed, "fields": fields},
            st.dictionaries(st.sampled_from(NAMES), inside, min_size=1), _REQUIRED,
        ),
        st.builds(lambda items, needed: {"type": "list", "required": needed, "items": items}, inside, _REQUIRED),
    ),
    max_leaves=4,
)  # fmt: skip
SCHEMAS = st.dictionaries(st.sampled_from(["Car", "Loan"]), st.dictionaries(st.sampled_from(NAMES), ATTRIBUTES), min_size=1).map(
    lambda entities: EventSchema.model_validate({"name": "Happened", "source": "events", "entities": entities})
)


def values(attribute: Attribute, schema: EventSchema) -> st.SearchStrategy[Any]:
    """Values that an attribute can have."""
    if attribute.enum:
        return st.sampled_from(attribute.enum)
    low, high = (None if end is None else int(end) for end in attribute.bounds)
    match attribute.type:
        case "string":
            return st.text("xyz", min_size=low or 0, max_size=4 if high is None else high)
        case "number":
            return st.integers(-9 if low is None else low, 9 if high is None else high)
        case "boolean":
            return st.booleans()
        case "timestamp":
            return st.integers(0, 10**12) | st.just("2026-01-31T09:30:00Z")
        case "list":
            return st.lists(values(attribute.items, schema) if attribute.items else _entities(schema), max_size=2)
    fields = attribute.fields or {}
    needed = {name: values(inside, schema) for name, inside in fields.items() if inside.required}
    return st.fixed_dictionaries(needed, optional={name: values(inside, schema) for name, inside in fields.items() if name not in needed})


def _entities(schema: EventSchema) -> st.SearchStrategy[Any]:
    def of(kind: str) -> st.SearchStrategy[Any]:
        return values(schema.elements[kind], schema).map(lambda entity: {**entity, "entityType": kind})

    return st.one_of(*map(of, schema.elements))


def events(schema: EventSchema) -> st.SearchStrategy[Any]:
    """Events as their schema says."""
    return values(schema.event, schema)
