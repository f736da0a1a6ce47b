"""POST /api/v1/events: an event into the outbox, and what was wrong with it; GET /health: whether the database is there."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from ingestion.admission import Admission, Rejected
from ingestion.outbox import EventOutbox
from project.environment import Environment
from project.models import LARGEST_EVENT, Project, Source

log = logging.getLogger("ingestion")
_PATIENCE = 30  # seconds for the whole of a request, and at the end for those under way
_TIDIES = 600.0  # seconds between two looks for events that are older than they have to be
_RETRY = 2  # seconds after which a program may ask again


def serve(project: Project, source: Source, environment: Environment, host: str, port: int) -> None:
    """Answer until told to stop; what is under way is finished."""
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises again what has stopped it, which is no failure
        signal.signal(number, lambda *_: log.info("ended"))
    uvicorn.run(
        application(project, source, environment), host=host, port=port, log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=_PATIENCE,
    )  # fmt: skip


def application(project: Project, source: Source, environment: Environment) -> Starlette:
    """The address of one source."""
    assert source.outbox and source.outbox.ingestion
    mandatory = {path: None for stream in project.streams.values() if stream.source == source.name for path in stream.mandatory}
    admission = Admission(project.event_schemas(source.name), [*mandatory], source.outbox.ingestion.validation == "strict")
    outbox = EventOutbox(environment.source(source.name), source)

    def keep(content: bytes) -> dict[str, object]:
        event = admission.admit(content)
        outbox.write(event)
        return {"uuid": str(event.uuid), "problems": event.problems}

    async def take(request: Request) -> JSONResponse:
        return JSONResponse(await run_in_threadpool(keep, await _content(request)))

    async def health(request: Request) -> JSONResponse:
        there = await run_in_threadpool(outbox.answers)
        return JSONResponse({"database": there}, 200 if there else 503)

    @asynccontextmanager
    async def open_outbox(_: Starlette) -> AsyncIterator[None]:
        with outbox.pool:
            tidying = asyncio.create_task(_tidy(outbox))
            yield
            tidying.cancel()

    routes = [Route("/api/v1/events", take, methods=["POST"]), Route("/health", health)]
    return Starlette(routes=routes, lifespan=open_outbox, exception_handlers={Rejected: _reject, HTTPException: _refuse})


async def _tidy(outbox: EventOutbox) -> None:
    while True:
        try:
            await run_in_threadpool(outbox.forget)
        except Rejected as rejected:
            log.warning("old events stay in the outbox: %s", rejected.__cause__)
        await asyncio.sleep(_TIDIES)


async def _content(request: Request) -> bytes:
    kind, _, more = request.headers.get("content-type", "").lower().partition(";")
    if kind.strip() != "application/json" or more.strip() not in ("", "charset=utf-8") or "content-encoding" in request.headers:
        raise Rejected(415, "the body is something else; expected Content-Type: application/json, in UTF-8 and not compressed")
    parts, size = list[bytes](), 0
    try:
        async with asyncio.timeout(_PATIENCE):
            async for part in request.stream():  # to its end, for who still sends hears no answer
                size += len(part)
                if size <= LARGEST_EVENT:
                    parts.append(part)
    except TimeoutError as error:
        raise Rejected(408, f"the body did not come within {_PATIENCE} s; expected all of it") from error
    except ClientDisconnect as error:
        raise Rejected(400, "the body ends early; expected all of it") from error
    if size > LARGEST_EVENT:
        raise Rejected(413, f"a body of {size} bytes; expected at most {LARGEST_EVENT}")
    return b"".join(parts)


def _reject(_: Request, rejected: Exception) -> JSONResponse:
    assert isinstance(rejected, Rejected)
    if rejected.status >= 500:
        log.warning("%s: %s", rejected, rejected.__cause__)
    headers = {"Retry-After": str(_RETRY)} if rejected.status == 503 else {}
    return JSONResponse({"problems": rejected.problems}, rejected.status, headers)


def _refuse(_: Request, refused: Exception) -> JSONResponse:
    assert isinstance(refused, HTTPException)
    return JSONResponse({"problems": [f"{refused.detail}; expected POST /api/v1/events"]}, refused.status_code, refused.headers)
