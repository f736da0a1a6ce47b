"""Events sent over HTTP, as programs do that have no part in the dealership's transactions."""

from collections.abc import Iterable

import requests

from events import Event

_PATIENCE = 30  # seconds for an answer


class NotTaken(Exception):
    """An event was not answered with 200; says why."""


def send(session: requests.Session, address: str, events: Iterable[Event]) -> None:
    """Each by itself, since the address takes one at a time. Raises NotTaken at the first that it does not take."""
    for one in events:
        try:
            answer = session.post(f"{address.rstrip('/')}/api/v1/events", json=one.body, timeout=_PATIENCE)
        except requests.RequestException as error:
            raise NotTaken(f"{address} gives no answer ({type(error).__name__})") from error
        if answer.status_code != requests.codes.ok:
            raise NotTaken(f"{address} answers {answer.status_code}: {answer.text[:200].strip()}")
