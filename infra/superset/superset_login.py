"""A brake on guessing passwords: after a few failed logins a name has to wait. Successful logins are not counted."""

from typing import Any

from flask import Flask, Response, jsonify, request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

_LOGIN_PATHS = {"/login/", "/api/v1/security/login"}
# Counted in each worker process, so N workers let N times as many pass.
_FAILURES = parse("10 per minute")


def throttle_logins(app: Flask) -> None:
    """Answer 429 to a login while its user name and address have too many failures behind them."""
    limiter = MovingWindowRateLimiter(MemoryStorage())

    @app.before_request
    def refuse() -> Response | None:  # pyright: ignore[reportUnusedFunction]
        if not _is_login() or limiter.test(_FAILURES, *_who()):
            return None
        answer = jsonify(message="Too many failed logins for this name; wait a minute and try again.")
        answer.status_code = 429
        answer.headers["Retry-After"] = "60"
        return answer

    @app.after_request
    def count(answer: Response) -> Response:  # pyright: ignore[reportUnusedFunction]
        if _is_login() and _has_failed(answer):
            limiter.hit(_FAILURES, *_who())
        return answer


def _is_login() -> bool:
    return request.method == "POST" and request.path in _LOGIN_PATHS


def _who() -> tuple[str, str]:
    body: Any = request.get_json(silent=True) or request.form
    return request.remote_addr or "", str(body.get("username", "")) if isinstance(body, dict) else ""


def _has_failed(answer: Response) -> bool:
    # The form answers a wrong password with a way back to itself, the API with 401.
    return answer.status_code == 401 or (answer.status_code == 302 and "/login" in answer.headers.get("Location", ""))
