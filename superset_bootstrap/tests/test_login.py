"""A login that Superset does not know any more is renewed, however it says so."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from e2e.serving import serving
from project.environment import Superset
from project.resources import Refused
from superset_bootstrap.client import SupersetClient

_UNSIGNED = b'{"msg": "Signature verification failed"}'  # of a token that another key has signed


class Server:
    """Superset's logins: it lets in whoever comes, and knows the newest login alone."""

    def __init__(self) -> None:
        self.url, self.logins, self.known = "", 0, True
        self.refusal: tuple[int, bytes] = 422, _UNSIGNED

    def answer(self, path: str, authorization: str | None) -> tuple[int, bytes]:
        if path.endswith("/security/login"):
            self.logins, self.known = self.logins + 1, True
            return 200, b'{"access_token": "%d"}' % self.logins
        if authorization != f"Bearer {self.logins}" or not self.known:
            return self.refusal
        return 200, b'{"result": "here you are"}'


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(int(request.headers.get("Content-Length", 0)))
        status, body = made.answer(request.path, request.headers.get("Authorization"))
        request.send_response(status)
        request.end_headers()
        request.wfile.write(body)

    with serving(answer) as made.url:
        yield made


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> SupersetClient:
    monkeypatch.setenv("PASSWORD", "secret")
    return SupersetClient(Superset.model_validate({"url": server.url, "deployer": {"user": "deployer", "password": {"env": "PASSWORD"}}}))


@pytest.mark.parametrize("refusal", [(401, b'{"msg": "Token has expired"}'), (422, _UNSIGNED)])
def test_a_login_that_is_over_is_renewed(server: Server, client: SupersetClient, refusal: tuple[int, bytes]):
    assert client.call("GET", "chart/1").ok
    server.refusal, server.known = refusal, False
    assert client.call("GET", "chart/1").json() == {"result": "here you are"}
    assert server.logins == 2


@pytest.mark.parametrize("body", [b'{"message": "no such column"}', b'{"errors": [{"message": "no such column"}]}', b'"no such column"'])
def test_what_superset_does_not_take_is_no_matter_of_the_login(server: Server, client: SupersetClient, body: bytes):
    assert client.call("GET", "chart/1").ok
    server.refusal, server.known = (422, body), False
    with pytest.raises(Refused, match="Superset refused GET chart/1: no such column"):
        client.call("GET", "chart/1")
    assert server.logins == 1
