"""Superset as one of its users talks to it: logged in, over its API."""

from typing import Any

import requests

from infra.platform import Platform

_SECONDS = 60


class Site:
    """A session of a user of the platform."""

    def __init__(self, platform: Platform, user: str) -> None:
        self.url = platform.url("superset")
        self._session = requests.Session()
        password = (platform.secrets / f"superset_{user}").read_text().strip()
        answer = self.call("POST", "security/login", {"username": user, "password": password, "provider": "db"})
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self._session.headers["X-CSRFToken"] = self.call("GET", "security/csrf_token/").json()["result"]

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """`path` is below /api/v1/, or from the root if it begins with a slash."""
        url = self.url + (path if path.startswith("/") else f"/api/v1/{path}")
        return self._session.request(method, url, json=body, timeout=_SECONDS)

    def number(self, kind: str, uuid: str) -> int:
        """Superset's own id."""
        return self.call("GET", f"{kind}/{uuid}").json()["result"]["id"]
