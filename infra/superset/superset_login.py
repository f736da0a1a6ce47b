"""A brake on guessing passwords: after ten failed logins a name has to wait a minute. Successful logins are not counted."""

import hashlib
from pathlib import Path
from typing import Any

from cachelib import FileSystemCache
from flask import Flask, Response, jsonify, request

_LOGIN_PATHS = {"/login/", "/api/v1/security/login"}
_MOST_FAILURES = 10
_SECONDS = 60


def throttle_logins(app: Flask) -> None:
    """Answer 429 to a login while its user name and address have too many failures behind them."""
    # On disk, so that all worker processes count together.
    failures = FileSystemCache(str(Path(app.config["DATA_DIR"]) / "cache" / "logins"), threshold=10_000, default_timeout=_SECONDS)

    @app.before_request
    def refuse() -> Response | None:
        if not _is_login() or (failures.get(_who()) or 0) < _MOST_FAILURES:
            return None
        answer = jsonify(message="Too many failed logins for this name; wait a minute and try again.")
        answer.status_code = 429
        answer.headers["Retry-After"] = str(_SECONDS)
        return answer

    @app.after_request
    def count(answer: Response) -> Response:
        if _is_login() and _has_failed(answer):
            failures.inc(_who())
        return answer


def _is_login() -> bool:
    return request.method == "POST" and request.path in _LOGIN_PATHS


def _who() -> str:
    body: Any = request.get_json(silent=True) or request.form
    name = body.get("username", "") if hasattr(body, "get") else ""
    return hashlib.sha256(f"{request.remote_addr}\n{name}".encode()).hexdigest()


def _has_failed(answer: Response) -> bool:
    # The form answers a wrong password with a way back to itself, the API with 401.
    return answer.status_code == 401 or (answer.status_code == 302 and "/login" in answer.headers.get("Location", ""))
