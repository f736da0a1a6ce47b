"""Superset over HTTP, where it does not answer as it should."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import pytest

from project.environment import Environment
from project.resources import Unreachable
from superset_bootstrap import client
from superset_bootstrap.client import SupersetClient

Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], SupersetClient]


@pytest.fixture
def serve(environment: Environment) -> Iterator[Serve]:
    """A client, let in already, of a Superset that does as told with each request."""
    opened: list[ThreadingHTTPServer] = []

    def begin(answer: Callable[[BaseHTTPRequestHandler], None]) -> SupersetClient:
        handler = type("Handler", (BaseHTTPRequestHandler,), {"do_GET": answer, "log_message": lambda *_: None})
        opened.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        Thread(target=opened[0].serve_forever, daemon=True).start()
        place = environment.superset.model_copy(update={"url": f"http://127.0.0.1:{opened[0].server_port}"})
        superset = SupersetClient(place)
        superset._session.headers["Authorization"] = "Bearer token"
        return superset

    yield begin
    for server in opened:
        server.shutdown()
        server.server_close()


def test_one_that_is_silent_is_waited_for_once(serve: Serve, monkeypatch: pytest.MonkeyPatch):
    asked, over = list[str](), Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        over.wait(30)

    monkeypatch.setattr(client, "_SECONDS", (5, 0.3))
    superset = serve(answer)
    with pytest.raises(Unreachable, match=r"Superset does not answer at http.*Read timed out.*; start it, or correct superset\.url"):
        superset.call("GET", "chart/")
    over.set()
    assert asked == ["/api/v1/chart/"]


def test_one_that_drops_connections_is_asked_again(serve: Serve):
    asked = list[str]()

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        if len(asked) > 2:
            request.send_response(200)
            request.send_header("Content-Length", "0")
            request.end_headers()
        request.close_connection = True

    assert serve(answer).call("GET", "chart/").ok
    assert len(asked) == 3
