"""A client that does not read what it asked for is not kept for ever: Linux ends its connection."""

import asyncio
import socket
import sys

import pytest
from starlette.types import Receive, Scope, Send

from svckit.address import Address
from svckit.bind import bind, bound_address
from svckit.http_server import serve_http

LOOPBACK = Address("127.0.0.1", 0)


def unread_timeout_ms(connection: socket.socket) -> int:
    if sys.platform != "linux":
        return 20_000  # nothing to ask: other systems have no such option
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def test_a_connection_inherits_the_bound_of_its_listener() -> None:
    with bind(LOOPBACK, variable="X_BIND") as listener:
        address = bound_address(listener)
        with socket.create_connection((address.host, address.port)):
            listener.setblocking(True)
            accepted, _ = listener.accept()
            with accepted:
                assert unread_timeout_ms(listener) == 20_000
                assert unread_timeout_ms(accepted) == 20_000


class Endless:
    """An app whose answer has no end; `cut` is set when it cannot be sent any more."""

    def __init__(self) -> None:
        self.cut = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
        finally:
            self.cut.set()


async def test_a_client_that_does_not_read_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("svckit.bind.UNREAD_TIMEOUT_MS", 200)
    endless = Endless()
    listener = bind(LOOPBACK, variable="X_BIND")
    address = bound_address(listener)
    with socket.create_connection((address.host, address.port)) as client:
        async with serve_http(endless, listener=listener, drain_s=0.1):
            client.sendall(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n")
            if sys.platform == "linux":
                await asyncio.wait_for(endless.cut.wait(), 5)
