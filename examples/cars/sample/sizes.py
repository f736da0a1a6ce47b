"""Events of a named size: what can be spared is left out, then blocks that a dealership knows are added, then padding.

Neither touches what says what an event is about: its header, its entity's type and key, and the amounts and names that filters ask for.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

from events import Event

SIZES = {"400b": 400, "4k": 4096, "8k": 8192, "32k": 32768, "64k": 65536}  # bytes, as PostgreSQL writes jsonb
_SPARED = (  # the first of them first
    "accountLast4", "transactionId", "serviceType", "dealerName", "mileageAtService", "paymentMethod", "monthlyPayment", "startDate",
    "description", "serviceDate", "paymentDate", "financialInstitution", "termMonths", "color", "mileage",
)  # fmt: skip
_VARIANTS, _STEP = 16, 512  # blocks are made once for so many events to share, in steps of so many bytes
_PADDING = "_padding"


def length(value: Any) -> int:
    """Bytes of its text in jsonb, for what is all ASCII."""
    return len(json.dumps(value))


def sized(event: Event, size: int, rng: Random) -> Event:
    """The same event with `size` bytes: at most, and less by no more than an empty padding would take."""
    body, [entity] = dict(event.body), event.body["eventBody"]["entities"]
    room = size - length(body)
    if room < 0:
        room += length({"sourceMetadata": body.pop("sourceMetadata")})
    attributes, room = _spare(entity["updatedAttributes"], room)
    if blocks := _blocks(room // _STEP * _STEP, rng.randrange(_VARIANTS)):
        added = {name: block for name, block in blocks.items() if name not in attributes}  # what the event says itself stays
        attributes, room = attributes | added, room - length(added)
    if (padding := room - length({_PADDING: ""})) >= 0:
        attributes[_PADDING] = "x" * padding
    body["eventBody"] = {"entities": [entity | {"updatedAttributes": attributes}]}
    return replace(event, body=body)


def _spare(attributes: dict[str, Any], room: int) -> tuple[dict[str, Any], int]:
    """Without attributes until there is room. They stand at the top, or one level below; one goes with its comma, as long as its braces."""
    kept = {name: dict(part) if isinstance(part, dict) else part for name, part in attributes.items()}
    for name in _SPARED:
        for part in (kept, *(one for one in kept.values() if isinstance(one, dict))):
            if room < 0 and name in part:
                room += length({name: part.pop(name)})
    return kept, room


@cache
def _blocks(room: int, variant: int) -> dict[str, Any]:
    """Blocks that together have at most so many bytes."""
    found, rng = dict[str, Any](), Random(variant)  # noqa: S311 - no secret
    for name, part, in_list in _parts(rng):
        grown = length(part) + 2 + (0 if name in found else length(name) + 4)
        if grown > room:
            return found
        room -= grown
        if in_list:
            found.setdefault(name, []).append(part)
        else:
            found[name] = part
    return found


def _parts(rng: Random) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """The name of a block, and it or its next element; without an end."""
    number = rng.randrange(10**9)
    yield "owner", {"customerId": f"customer-{number}", "city": rng.choice(["Ghent", "Leeds", "Turin"]), "since": 2000 + number % 25}, False
    yield "insurance", {"policy": f"policy-{number}", "premium": rng.randrange(300, 2000), "validUntil": "2027-12-31"}, False
    yield "maintenance", {"plan": rng.choice(["basic", "full"]), "intervalKm": 15_000, "nextDue": "2027-06-30"}, False
    while True:
        number = rng.randrange(10**9)
        yield "serviceHistory", {"id": f"service-{number}", "amountPaid": rng.randrange(500), "dealerId": f"dealer-{number % 3:03}"}, True
        yield "paymentHistory", {"id": f"payment-{number}", "amount": rng.randrange(5000), "late": number % 9 == 0}, True
        yield "parts", {"number": f"part-{number}", "quantity": 1 + number % 4, "price": rng.randrange(900)}, True
