"""Dagster's pages, which do nothing for a page of another site: its own server runs a mutation that stands in an image's address."""

from urllib.parse import urlsplit

from dagster_webserver.cli import main
from dagster_webserver.webserver import DagsterWebserver
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_SAID = "this was asked by a page of another site, or not as JSON; ask from Dagster's own pages, or with Content-Type: application/json"


class OwnPages:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not is_foreign(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(_SAID, 403)(scope, receive, send)


def is_foreign(scope: Scope) -> bool:
    """Whether a page of another site may have asked. A browser tells the page's site unless it draws an image or the like, which cannot
    be told what to accept or to send."""
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc != headers.get("host")
    page = scope.get("method") == "GET" and "text/html" in headers.get("accept", "")
    return scope["type"] == "http" and scope["path"].endswith("/graphql") and not page and not _is_json(headers)


def _is_json(headers: Headers) -> bool:
    return headers.get("content-type", "").startswith("application/json")


def serve() -> None:
    """As `python -m dagster_webserver`, with its options."""
    before = DagsterWebserver.build_middleware
    DagsterWebserver.build_middleware = lambda self: [Middleware(OwnPages), *before(self)]
    main()


if __name__ == "__main__":
    serve()
