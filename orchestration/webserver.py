"""Dagster's pages, which do nothing for a page of another site: its own server runs a mutation that stands in an image's address."""

import os
from collections.abc import Collection
from urllib.parse import urlsplit

from dagster_webserver.cli import main
from dagster_webserver.webserver import DagsterWebserver
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_SAID = "this was asked by a page of another site, or not as JSON; ask from Dagster's own pages, or with Content-Type: application/json"
_HOSTS = "HEADRACE_HOSTS"  # names of the pages' machine; unset: any


class OwnPages:
    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not is_foreign(scope, self._hosts):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await PlainTextResponse(_SAID, 403)(scope, receive, send)


def is_foreign(scope: Scope, hosts: Collection[str] = ()) -> bool:
    """Whether a page of another site may have asked. A browser tells the page's site unless it draws an image or the like, which cannot
    be told what to accept or to send. A site whose name leads to our machine is told by that name, if `hosts` says which are ours."""
    headers = Headers(scope=scope)
    if hosts and urlsplit(f"//{headers.get('host', '')}").hostname not in hosts:
        return True
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
    hosts = os.environ.get(_HOSTS, "").split()
    DagsterWebserver.build_middleware = lambda self: [Middleware(OwnPages, hosts), *before(self)]
    main()


if __name__ == "__main__":
    serve()
