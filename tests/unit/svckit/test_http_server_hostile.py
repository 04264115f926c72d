"""What one HTTP client can do to a server: hold its end up, or take it over to HTTP/2."""

import asyncio
import re
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from starlette.types import Receive, Scope, Send

from svckit.address import Address
from svckit.bind import bind, bound_address
from svckit.http_server import serve_http

Run = Callable[[Coroutine[Any, Any, None]], None]
GET = b"GET / HTTP/1.1\r\nhost: test\r\n"
# An empty SETTINGS frame, as the preface of HTTP/2 demands it and as `HTTP2-Settings` carries it.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
UPGRADE = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def run_on_loop(scenario: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(scenario, 20))

    return run_on_loop


class Talker:
    """An app that answers with `size` bytes, and notes which HTTP each question came in."""

    def __init__(self, size: int = 2) -> None:
        self.versions: list[str] = []
        self._body = b"x" * size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.versions.append(scope["http_version"])
        length = str(len(self._body)).encode()
        headers = [(b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})


def listen() -> tuple[socket.socket, Address]:
    listener = bind(Address("127.0.0.1", 0), variable="TEST_BIND")
    return listener, bound_address(listener)


async def held_up(talker: Talker) -> None:
    """Returns when its client has taken what it takes: no event says that nothing goes on."""
    seen = -1
    while seen != len(talker.versions) or not seen:
        seen = len(talker.versions)
        await asyncio.sleep(0.1)


async def exchange(address: Address, request: bytes) -> bytes:
    """All that the server says until it closes the connection."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(request)
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


def test_a_client_that_never_reads_what_it_asked_for_cannot_spoil_the_stop(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("svckit.http_server.DRAIN_GRACE_S", 0.3)

    async def scenario() -> None:
        # Far more than the buffers of both sides take, so an answer is always under way.
        talker = Talker(size=1_000_000)
        listener, address = listen()
        with socket.create_connection((address.host, address.port)) as client:
            async with serve_http(talker, listener=listener, drain_s=0.2):
                client.sendall((GET + b"\r\n") * 200)
                await held_up(talker)
                started_at = time.monotonic()

            assert time.monotonic() - started_at < 0.2 + 0.3 + 2.0

    run(scenario())


def test_who_begins_with_the_preface_of_http2_is_answered_in_http1_and_cut(run: Run) -> None:
    async def scenario() -> None:
        talker = Talker()
        listener, address = listen()
        async with serve_http(talker, listener=listener):
            answer = await exchange(address, PREFACE)

        # Its first line is a request with an odd method, and the rest of it is no request at all.
        assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200", b"400"]

    run(scenario())


def test_who_asks_for_an_upgrade_to_http2_is_answered_in_http1(run: Run) -> None:
    async def scenario() -> None:
        talker = Talker()
        listener, address = listen()
        async with serve_http(talker, listener=listener):
            # The second request is one of HTTP/1.1 too, which a connection taken over would refuse.
            last = GET + b"connection: close\r\n\r\n"
            answer = await exchange(address, GET + UPGRADE + b"\r\n" + last)

        assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200", b"200"]
        assert talker.versions == ["1.1", "1.1"]

    run(scenario())
