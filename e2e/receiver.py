"""A program that is told of checks that changed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any


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

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if receiver.status == 200:
                receiver.bodies.append(body)
            self.send_response(receiver.status)
            if receiver.status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        receiver.url = f"http://127.0.0.1:{server.server_port}/s3cret"
        try:
            yield receiver
        finally:
            server.shutdown()
