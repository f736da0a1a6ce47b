"""What Kafka Connect answers when it cannot do what it was asked for, as people read it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler

import pytest

from cdc.connect import Connect
from e2e.serving import serving
from project.resources import Refused, Unreachable


@pytest.fixture
def answering() -> Iterator[Callable[[int, bytes], Connect]]:
    """A server that gives one answer to everything."""
    with ExitStack() as servers:

        def serve(status: int, body: bytes) -> Connect:
            def answer(request: BaseHTTPRequestHandler) -> None:
                request.send_response(status)
                request.end_headers()
                request.wfile.write(body)

            return Connect(servers.enter_context(serving(answer)))

        yield serve


def test_a_worker_that_is_just_stopping_is_to_be_started(answering: Callable[[int, bytes], Connect]):
    with pytest.raises(Unreachable, match="answers 500 Internal Server Error, as while it starts or stops; look at its log, and start it"):
        answering(500, b"<html>").status("shop")


def test_what_connect_itself_says_is_told(answering: Callable[[int, bytes], Connect]):
    with pytest.raises(Refused, match="Kafka Connect refused GET /connectors/shop/status: no such plugin") as refused:
        answering(500, b'{"message": " no such plugin "}').status("shop")
    assert not isinstance(refused.value, Unreachable)


def test_a_connector_that_is_not_there_is_none(answering: Callable[[int, bytes], Connect]):
    assert answering(404, b'{"error_code": 404, "message": "No status found for connector shop"}').status("shop") is None


def test_a_worker_that_is_just_starting_knows_of_no_connector_yet(answering: Callable[[int, bytes], Connect]):
    with pytest.raises(Unreachable, match="answers 404 Not Found, as while it starts or stops"):
        answering(404, b"<html>").status("shop")
