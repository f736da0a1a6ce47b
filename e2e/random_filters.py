"""Filters and events at random, with all that the language has and much that events should not have."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any

from project.filters.models import Filter
from project.filters.patterns import check_pattern
from project.filters.values import Kind, of_literal

_FIELDS = [
    "eventName", "entityType", "entityId", "createdDate", "updatedAttributes.loan.loanAmount", "updatedAttributes.loan.status",
    "updatedAttributes['a.b']", "eventBody.entities[1].entityType", "eventHeader", "sourceMetadata.tags[0]", "nothing.there",
    *(_OWN := ["event", "topic", "reason", "offset", "stamp"]),  # as the job calls columns of its own
]  # fmt: skip
_OF_EACH = ["entities[*].entityType", "entities[*].updatedAttributes.loan.loanAmount", "sourceMetadata.tags[*]", "entityType[*]"]
_OF_ELEMENT = ["entityType", "entityId", "updatedAttributes.loan.loanAmount", "updatedAttributes.loan"]
_TEXTS = [
    "LoanCreated", "loancreated", "Loan", "Car", "active", "", " ", "O'Hara' OR '1'='1", "ünïcödé", "😀", "a\nb", "a\r", 'quo"te',
    "back\\slash", "\x00", "\ud800", "$.a", "`", "loan-17-premium", "true", "TRUE", "1", "1.0", "-5", "1e5", "007",
    "12345678901234567890.123456789012345678", "0.1234567890123456789", "2026-01-31T09:30:00Z", "2026-02-30T09:30:00Z",
    "2026-01-31 23:59:59.999999+05:30", "1767225600000", "[]", "{}", "null",
]  # fmt: skip
_NUMBERS = [
    "0", "-0", "0.0", "-0.0", "1", "1.0", "1.10", "100000", "100000.000000000000000001", "1e5", "1E+5", "1e-7", "0.0000001", "1e20",
    "1e400", "-1e-400", "12345678901234567890.123456789012345678", "123456789012345678901", "0.1234567890123456785", "1767225600000",
    "-2208988800000", "9" * 40,
]  # fmt: skip
_INSTANTS = ["2026-01-01T00:00:00Z", "2026-01-31T09:30:00+02:00", "1999-12-31 23:59:59", "2026-01-31T09:30:00.5Z"]
_PATTERNS = ["^loan-[0-9]+", "Loan", "a.b", "a$", "[A-Z][a-z]+", "^$", "'", r"\\", r"\d{2}"]
_PARTS = [
    "a", "oan", r"\.", ".", "[a-z]+", "[^a-z]", r"\d{1,3}", "(loan|Car)?", "(-[a-z]){1,3}", r"\s", r"\W*", "^", "$", r"[\w.]+?", "😀",
    r"\u00fc", r"\x41", "[A-Z][a-z]+", "n{0,2}", "[-+]", r"\\", "(a|b|)", r"[\[\]{}]", r"\{", "#", " ", r"[&\^-]", r"\D", r"[^\s]{2}",
]  # fmt: skip
_ORDERED = ["greaterThan", "lessThan", "greaterThanOrEqual", "lessThanOrEqual"]


def random_filter(rng: Random, number: int, topic: str) -> Filter:
    """One that may keep anything, in a topic or in two."""
    conditions = [_node(rng, 3) for _ in range(rng.randint(1, 3))]
    outputs: dict[str, Any] = {"outputTopic": topic}
    if rng.random() < 0.1:
        outputs = {"outputTopics": [{"topic": name, "condition": _condition(rng)} for name in (topic, f"{topic}-too")]}
    return Filter.model_validate({
        "id": f"filter-{number}", "name": f"-- {number}\n;", "consumerId": "anyone", "enabled": True, "conditions": conditions,
        "conditionLogic": rng.choice(["AND", "OR"]), "version": rng.randint(1, 9), **outputs,
    })  # fmt: skip


def random_event(rng: Random) -> bytes:
    """Most can be read."""
    header = {"uuid": lambda: _text(rng), "eventName": lambda: _value(rng), "createdDate": lambda: _value(rng)}
    parts = {"eventHeader": header, "eventBody": {"entities": lambda: _entities(rng)}}
    parts["sourceMetadata"] = {"tags": lambda: _list(rng, lambda: _value(rng))}
    values = dict.fromkeys(_OWN, lambda: _value(rng))
    text = _object(rng, values | {name: lambda fields=fields: _object(rng, fields) for name, fields in parts.items()})
    twice, filtered, unfiltered = text[:-1] + ',"eventBody":1}', *(f'{{"filterMetadata":{said},{text[1:]}' for said in ("1", "null"))
    spoiled = [text + " x", text[:-1], text + ",{}", twice, f"[{text}]", "", "null", "{}", "[]", '"{"', filtered, unfiltered]
    content = rng.choice(spoiled) if rng.random() < 0.08 else rng.choice(["", " ", "\n"]) + text
    return content.encode().replace(b"u", b"\xff", 1) if rng.random() < 0.01 else content.encode()


def _node(rng: Random, depth: int) -> dict[str, Any]:
    kind = rng.random()
    if depth and kind < 0.2:
        return {rng.choice(["all", "any"]): [_node(rng, depth - 1) for _ in range(rng.randint(1, 3))]}
    if depth and kind < 0.3:
        return {"not": _node(rng, depth - 1)}
    if kind < 0.35:
        inside = [_condition(rng, rng.choice(_OF_ELEMENT)) for _ in range(rng.randint(1, 2))]
        over, quantifier = rng.choice(["entities", "sourceMetadata.tags"]), rng.choice(["any", "all"])
        return {rng.choice(["all", "any"]): inside, "over": over, "quantifier": quantifier}
    return _condition(rng)


def _condition(rng: Random, field: str | None = None) -> dict[str, Any]:
    found = field or rng.choice(_FIELDS if rng.random() < 0.85 else _OF_EACH)
    each = {"quantifier": rng.choice(["any", "all"])} if "[*]" in found else {}
    return {"field": found, **each, **rng.choice([_of_texts, _of_numbers, _of_booleans, _of_instants, _of_times, _of_null])(rng)}


def _of_texts(rng: Random) -> dict[str, Any]:
    texts = [text for text in _TEXTS if text.isprintable()]
    if rng.random() < 0.2:
        return {"operator": "matches", "value": rng.choice(_PATTERNS) if rng.random() < 0.5 else _pattern(rng)}
    return _compared(rng, lambda: rng.choice(texts), "string")


def _pattern(rng: Random) -> str:
    """Any that is taken, often one that finds something in these texts."""
    while True:
        found = "".join(rng.choice(_PARTS) for _ in range(rng.randint(1, 4)))
        with suppress(ValueError):
            check_pattern(found)
            return found


def _of_numbers(rng: Random) -> dict[str, Any]:
    literals = ["0", "1", "-5", "100000", "100000.000000000000000001", "12345678901234567890.123456789012345678", "0.0000001"]
    return _compared(rng, lambda: rng.choice(literals), "number")


def _of_booleans(rng: Random) -> dict[str, Any]:
    return {"operator": "equals", "value": rng.random() < 0.5}


def _of_instants(rng: Random) -> dict[str, Any]:
    if rng.random() < 0.3:
        return {"operator": rng.choice(_ORDERED), "value": rng.choice(["NOW-24H", "NOW+1000D", "NOW-9999D"]), "valueType": "timestamp"}
    return _compared(rng, lambda: rng.choice(_INSTANTS), "timestamp")


def _of_times(rng: Random) -> dict[str, Any]:
    zone = {"timeZone": rng.choice(["UTC", "Europe/Berlin", "Asia/Kolkata"])}
    return {**_compared(rng, lambda: rng.choice(["09:00", "09:30", "17:30:15", "22:00"]), "timeOfDay", crossing=True), **zone}


def _of_null(rng: Random) -> dict[str, Any]:
    return {"operator": rng.choice(["isNull", "isNotNull"])}


def _compared(rng: Random, literal: Callable[[], str], kind: str, crossing: bool = False) -> dict[str, Any]:
    operator = rng.choice(["equals", "in", "notIn", "between", *_ORDERED])
    if operator == "between":
        low, high = literal(), literal()
        if not crossing and not _in_order(low, high, kind):
            low, high = high, low
        return {"operator": operator, "min": low, "max": high, "valueType": kind}
    if operator in ("in", "notIn"):
        return {"operator": operator, "values": [literal() for _ in range(rng.randint(1, 3))], "valueType": kind}
    return {"operator": operator, "value": literal(), "valueType": kind}


def _in_order(low: str, high: str, kind: str) -> bool:
    return of_literal(low, Kind(kind)) <= of_literal(high, Kind(kind))  # type: ignore[operator]


def _value(rng: Random) -> str:
    kind = rng.random()
    if kind < 0.5:
        return _text(rng)
    if kind < 0.8:
        return rng.choice(_NUMBERS)
    return rng.choice(["true", "false", "null", "{}", "[]", '["Loan"]', '{"loan":{"loanAmount":1}}'])


def _text(rng: Random) -> str:
    return json.dumps(rng.choice(_TEXTS + _INSTANTS))


def _entities(rng: Random) -> str:
    if rng.random() < 0.1:
        return _value(rng)
    loan = {"loanAmount": lambda: _value(rng), "status": lambda: _text(rng)}
    attributes = {"loan": lambda: _object(rng, loan), "a.b": lambda: _value(rng)}
    entity = {"entityType": lambda: _value(rng), "entityId": lambda: _value(rng), "updatedAttributes": lambda: _object(rng, attributes)}
    return _list(rng, lambda: _object(rng, entity))


def _list(rng: Random, element: Callable[[], str]) -> str:
    return f"[{','.join(element() for _ in range(rng.choice([0, 1, 1, 2, 3, 11])))}]"


def _object(rng: Random, fields: Mapping[str, Callable[[], str]]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{make()}" for name, make in fields.items() if rng.random() < 0.93) + "}"
