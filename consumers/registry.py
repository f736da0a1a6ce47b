"""A schema registry, by the API that Confluent's has and Apicurio as well."""

import json
from typing import Any
from urllib.parse import quote

import requests

from project.environment import Registry
from project.resources import Refused, Unreachable

_TIMEOUT = 10.0  # seconds for one request
_TYPE = "application/vnd.schemaregistry.v1+json"
_NOT_FOUND, _CONFLICT = 404, 409


class Incompatible(Refused):
    """The registry takes no such version, by the compatibility that it keeps for the subject."""


class SchemaRegistry:
    """Opening it makes no connection. Every call raises Unreachable or Refused."""

    def __init__(self, place: Registry) -> None:
        self._place, self._session = place, requests.Session()

    def subjects(self) -> list[str]:
        return self._ask("GET", "subjects") or []

    def latest(self, subject: str) -> Any | None:
        """The newest schema of a subject; None if there is no such subject."""
        found = self._ask("GET", f"{_path(subject)}/versions/latest")
        return found and json.loads(found["schema"])

    def compatibility(self, subject: str) -> str | None:
        """Of a subject: BACKWARD, FORWARD, FULL, NONE …; None if it has none of its own."""
        found = self._ask("GET", f"config/{quote(subject, safe='')}")
        return found and found["compatibilityLevel"]

    def set_compatibility(self, subject: str, level: str) -> None:
        self._ask("PUT", f"config/{quote(subject, safe='')}", {"compatibility": level})

    def takes(self, subject: str, schema: Any) -> bool:
        """Whether a schema goes with the newest one of the subject, by its compatibility."""
        found = self._ask("POST", f"compatibility/{_path(subject)}/versions/latest", _document(schema))
        return found is None or bool(found["is_compatible"])

    def register(self, subject: str, schema: Any) -> None:
        """Make it the newest version unless it is one already. Raises Incompatible."""
        self._ask("POST", f"{_path(subject)}/versions", _document(schema))

    def id_of(self, subject: str, schema: Any) -> int | None:
        """The id that stands in front of each record of a schema; None if the subject does not have it."""
        found = self._ask("POST", _path(subject), _document(schema))
        return found and found["id"]

    def by_id(self, number: int) -> Any | None:
        """The schema of an id; None if there is none."""
        found = self._ask("GET", f"schemas/ids/{number}")
        return found and json.loads(found["schema"])

    def delete(self, subject: str) -> None:
        """With all its versions, for good."""
        for more in ("", "?permanent=true"):
            self._ask("DELETE", f"{_path(subject)}{more}")

    def _ask(self, method: str, path: str, document: Any = None) -> Any:
        """What it answers, None if there is no such thing."""
        login = self._place.login
        try:
            answer = self._session.request(
                method, f"{self._place.url.rstrip('/')}/{path}", json=document, headers={"Content-Type": _TYPE}, timeout=_TIMEOUT,
                auth=(login.user, login.password.reveal()) if login else None,
            )  # fmt: skip
        except requests.RequestException as error:
            said = f"the schema registry at {self._place.url} does not answer ({type(error).__name__})"
            raise Unreachable(f"{said}; start it, then try again") from error
        if answer.status_code == _NOT_FOUND and "error_code" in answer.text:
            return None
        if answer.status_code >= 500:
            raise Unreachable(f"the schema registry at {self._place.url} answers {answer.status_code}: {_said(answer)}")
        if not answer.ok:
            refusal = Incompatible if answer.status_code == _CONFLICT else Refused
            raise refusal(f"the schema registry at {self._place.url} refused {path}: {_said(answer)}")
        return answer.json()


def _path(subject: str) -> str:
    return f"subjects/{quote(subject, safe='')}"


def _document(schema: Any) -> dict[str, str]:
    return {"schema": json.dumps(schema), "schemaType": "AVRO"}


def _said(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"]).rpartition("Exception: ")[2]
    except (ValueError, KeyError, TypeError):
        return answer.text[:200] or answer.reason
