"""Events of the dealership, written into its outbox by plain SQL as its programs do, and noted once that is committed."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import uuid4

import psycopg

_PAUSE = 0.05  # seconds from one event to the next
_ENTITIES = 20  # of each kind, so that the events of each have an order
_KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "CarCreated": ("Car", {"make": "Ford", "model": "Focus", "year": 2024}),
    "LoanCreated": ("Loan", {"loan": {"loanAmount": 60_000}}),
    "LoanPaymentSubmitted": ("LoanPayment", {"loanPayment": {"amount": 99.5}}),
    "CarServiceDone": ("ServiceRecord", {"service": {"amountPaid": 420}}),
}
_WRITE = "insert into business_events (id, entity_id, event) select * from unnest(%s::uuid[], %s::text[], (%s::text[])::jsonb[])"
Opener = Callable[[], psycopg.Connection]


@dataclass(frozen=True)
class Event:
    uuid: str
    entity: str  # its key
    body: dict[str, Any]  # as consumers get it


def some_event(rng: Random, name: str | None = None, entity: str | None = None) -> Event:
    """One that some filter of examples/cars passes."""
    name = name or rng.choice(list(_KINDS))
    kind, attributes = _KINDS[name]
    uuid, key = str(uuid4()), entity or f"{kind}-{rng.randrange(_ENTITIES)}"
    header = {"uuid": uuid, "eventName": name, "eventType": name} | dict.fromkeys(("createdDate", "savedDate"), int(time.time() * 1000))
    entities = [{"entityType": kind, "entityId": key, "updatedAttributes": attributes}]
    return Event(uuid, key, {"eventHeader": header, "eventBody": {"entities": entities}})


class Outbox:
    """What was told, in the order in which it was committed."""

    def __init__(self) -> None:
        self.told, self.begun, self._alone = list[Event](), time.time(), threading.RLock()

    def tell(self, database: psycopg.Connection, *events: Event) -> None:
        """All in one transaction."""
        with self._alone:
            columns = [one.uuid for one in events], [one.entity for one in events], [json.dumps(one.body) for one in events]
            database.execute(_WRITE, columns)
            self.note(events)

    def note(self, events: Sequence[Event]) -> None:
        """These have been committed."""
        with self._alone:
            self.told.extend(events)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nobody tells of anything within the block."""
        with self._alone:
            yield

    def forget(self) -> None:
        """What was told before is nobody's concern any more."""
        self.told.clear()
        self.begun = time.time()

    @contextmanager
    def telling(self, opener: Opener, rng: Random) -> Iterator[None]:
        """Events come all the time, through any loss of the connection."""
        self.forget()
        over = threading.Event()
        thread = threading.Thread(target=self._go_on, args=[opener, rng, over], daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(30)

    def _go_on(self, opener: Opener, rng: Random, over: threading.Event) -> None:
        while not over.is_set():
            with suppress(psycopg.OperationalError), opener() as database:
                while not over.wait(_PAUSE):
                    self.tell(database, some_event(rng))
