"""A link carries what it is given until it is told otherwise: a fault that breaks nothing would prove nothing."""

import asyncio
import socket
import threading
import time
from contextlib import closing

import pytest

from chaos.links import Link
from e2e.waiting import until
from infra.platform import HOST


@pytest.fixture
def link() -> Link:
    """To a server that sends back what it gets."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1024):
            writer.write(piece)
        writer.close()

    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(echo, HOST, 0), loop).result(10)
    with closing(socket.create_server((HOST, 0))) as free:
        port = free.getsockname()[1]
    return Link(loop, port, server.sockets[0].getsockname()[1])


def opened(link: Link) -> socket.socket:
    return socket.create_connection((HOST, link.port), timeout=5)


def answer(connection: socket.socket) -> bytes:
    connection.sendall(b"hello")
    return connection.recv(1024)


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1024) == b""
    except ConnectionError:
        return True


def test_it_forwards_both_ways(link: Link):
    with opened(link) as connection:
        assert answer(connection) == b"hello"


def test_a_cut_closes_what_is_open_and_takes_nothing_new_until_it_is_mended(link: Link):
    with opened(link) as connection:
        assert answer(connection) == b"hello"
        link.cut()
        assert is_closed(connection)
    with opened(link) as refused:
        assert is_closed(refused)
    link.mend()
    with opened(link) as connection:
        assert answer(connection) == b"hello"


def test_a_stalled_link_holds_what_it_gets_and_closes_nothing(link: Link):
    with opened(link) as connection:
        assert answer(connection) == b"hello"
        link.stall()
        connection.sendall(b"hello")
        until(lambda: len(link._flows._waiters) == 1, 5, "it has what was sent")
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1024)
        link.mend()
        connection.settimeout(5)
        assert connection.recv(1024) == b"hello"


def test_a_slow_link_takes_its_time(link: Link):
    with opened(link) as connection:
        link.slow_down(0.2)
        begun = time.monotonic()
        assert answer(connection) == b"hello"
        assert time.monotonic() - begun > 0.4  # there and back
