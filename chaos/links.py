"""Links between the components that can be cut, stalled and slowed: what connects to a database or to Kafka goes through one.

As a command it is `headrace` for a platform whose addresses are those of its links:

    python -m chaos.links up
"""

import asyncio
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

from infra import configuration, credentials, endpoints
from infra.credentials import reveal
from infra.platform import HOST, Platform

_OFFSETS = {"postgres source": 42, "postgres analytics": 43, "kafka": 102}  # of the links' ports from the platform's first
_PIECE = 1 << 16  # bytes


class Link:
    """Forwards a port to another, for as long as this process lives."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: int, target: int) -> None:
        self.port, self._target, self._loop = port, target, loop
        self._is_cut, self._delay, self._flows = False, 0.0, asyncio.Event()
        self._flows.set()
        self._open = set[StreamWriter]()
        asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, HOST, port), loop).result(10)

    def cut(self) -> None:
        """Close all connections, and refuse new ones."""
        self._is_cut = True
        self._loop.call_soon_threadsafe(self._abort)

    def stall(self) -> None:
        """No byte passes any more, and nobody is told."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def slow_down(self, seconds: float) -> None:
        """Every piece of data takes so long."""
        self._delay = seconds

    def mend(self) -> None:
        self._is_cut, self._delay = False, 0.0
        self._loop.call_soon_threadsafe(self._flows.set)

    def _abort(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target)
            await asyncio.gather(self._forward(reader, far_writer), self._forward(far_reader, writer))
        writer.transport.abort()

    async def _forward(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._open.add(writer)
        try:
            while piece := await reader.read(_PIECE):
                await self._flows.wait()
                await asyncio.sleep(self._delay)
                writer.write(piece)
                await writer.drain()
        finally:
            self._open.discard(writer)
            writer.close()


def open_links(platform: Platform) -> list[Link]:
    """All links of a platform."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return [Link(loop, platform.port_base + offset, platform.port(name)) for name, offset in _OFFSETS.items()]


def _linked(environment: Callable[[Platform], dict[str, Any]]) -> Callable[[Platform], dict[str, Any]]:
    def with_links(platform: Platform) -> dict[str, Any]:
        document = environment(platform)
        ports = {name: platform.port_base + offset for name, offset in _OFFSETS.items()}
        document["sources"]["default"]["port"] = ports["postgres source"]
        document["analytics"]["port"] = ports["postgres analytics"]
        document["kafka"]["bootstrap_servers"] = f"{HOST}:{ports['kafka']}"
        return document

    return with_links


def _advertised(render: Callable[[Platform, str], str]) -> Callable[[Platform, str], str]:
    """Kafka sends its clients to the address that it advertises."""

    def with_link(platform: Platform, template: str) -> str:
        own = f"advertised.listeners=PLAINTEXT://{platform.address('kafka')}"
        return render(platform, template).replace(own, f"{own.rpartition(':')[0]}:{platform.port_base + _OFFSETS['kafka']}")

    return with_link


def _known(generate: Callable[..., None]) -> Callable[..., None]:
    """Flink finds the writer's password by the address."""

    def with_link(platform: Platform, *more: Any) -> None:
        generate(platform, *more)
        with (platform.secrets / "pgpass").open("a") as file:
            file.write(f"{HOST}:{platform.port_base + _OFFSETS['postgres analytics']}:*:headrace_writer:{reveal(platform, 'writer')}\n")

    return with_link


if __name__ == "__main__":
    credentials.generate = _known(credentials.generate)
    endpoints.environment = _linked(endpoints.environment)
    configuration.render = _advertised(configuration.render)
    import_module("orchestration.__main__")
