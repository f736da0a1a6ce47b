"""A program that is told of checks that changed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from e2e.serving import serving


class Receiver:
    """Keeps what is posted, as long as its status is 200."""

    def __init__(self) -> None:
        self.url, self.status, self.bodies = "", 200, list[dict[str, Any]]()

    def states(self) -> list[tuple[str, str, str]]:
        """Resource and check, and what it was before and is now, in the order of their arrival."""
        changes = (change for body in self.bodies for change in body["changes"])
        return [(f"{change['resource']}:{change['check']}", change["before"], change["state"]) for change in changes]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """One that listens."""
    receiver = Receiver()

    def answer(request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        if receiver.status == 200:
            receiver.bodies.append(body)
        request.send_response(receiver.status)
        if receiver.status == 302:
            request.send_header("Location", "/elsewhere")
        request.end_headers()

    with serving(answer) as url:
        receiver.url = f"{url}/s3cret"
        yield receiver
