"""Superset over HTTP, where it does not answer as it should."""

from http.server import BaseHTTPRequestHandler
from io import BytesIO
from threading import Event
from uuid import uuid4
from zipfile import ZipFile

import pytest

from e2e.serving import serving
from project.environment import Environment
from project.resources import Unreachable
from superset_bootstrap import client
from superset_bootstrap.client import SupersetClient


def let_in(environment: Environment, url: str) -> SupersetClient:
    """A client that has its token already."""
    superset = SupersetClient(environment.superset.model_copy(update={"url": url}))
    superset._session.headers["Authorization"] = "Bearer token"
    return superset


def test_one_that_is_silent_is_waited_for_once(environment: Environment, monkeypatch: pytest.MonkeyPatch):
    asked, over = list[str](), Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        over.wait(30)

    monkeypatch.setattr(client, "_SECONDS", (5, 2))
    said = r"Superset does not answer at http.*Read timed out.*; start it, or correct superset\.url"
    with serving(answer) as url:
        with pytest.raises(Unreachable, match=said):
            let_in(environment, url).call("GET", "chart/")
        over.set()
    assert asked == ["/api/v1/chart/"]


def test_as_many_as_there_are_are_asked_for_in_lines_that_its_server_takes(environment: Environment):
    """gunicorn refuses a request whose first line has more than 4,094 bytes."""
    lines = list[str]()

    def answer(request: BaseHTTPRequestHandler) -> None:
        lines.append(request.requestline)
        body = _archive() if "export" in request.path else b'{"count": 0, "result": []}'
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    with serving(answer) as url:
        asking = let_in(environment, url)
        assert asking.rows_by_uuid("chart", map(str, (uuid4() for _ in range(200))), ("id", "uuid", "certification_details")) == {}
        assert asking.exported("chart", range(100_000, 100_700)) == {}
    assert len(lines) == 4 + 14 and max(map(len, lines)) < 4094


def _archive() -> bytes:
    with BytesIO() as file:
        ZipFile(file, "w").close()
        return file.getvalue()


def test_one_that_drops_connections_is_asked_again(environment: Environment):
    asked = list[str]()

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        if len(asked) > 2:
            request.send_response(200)
            request.send_header("Content-Length", "0")
            request.end_headers()
        request.close_connection = True

    with serving(answer) as url:
        assert let_in(environment, url).call("GET", "chart/").ok
    assert len(asked) == 3
