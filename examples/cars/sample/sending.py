"""Events sent over HTTP, as programs do that have no part in the dealership's transactions."""

import requests

from events import Event

_PATH = "/api/v1/events"
_PATIENCE = 30  # seconds for an answer


class NotTaken(Exception):
    """An event was not answered with 200; says why."""


def address_of(text: str) -> str:
    """Of the ingestion, however it was named: as `headrace status` shows it, or as the whole address of its events."""
    return text.removesuffix(_PATH).rstrip("/") if "://" in text else address_of(f"http://{text}")


def send(session: requests.Session, address: str, event: Event) -> None:
    """Return when it is kept; raises NotTaken."""
    try:
        answer = session.post(address + _PATH, json=event.body, timeout=_PATIENCE)
    except requests.RequestException as error:
        raise NotTaken(f"{address} gives no answer ({type(error).__name__})") from error
    if answer.status_code != requests.codes.ok:
        raise NotTaken(f"{address} answers {answer.status_code}: {answer.text[:200].strip()}")
