"""Hypercorn takes clients over to HTTP/2; the class that does it is looked up where we put ours."""

import asyncio

import hypercorn.protocol
import pytest
from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.protocol.h11 import H11Protocol
from starlette.types import Receive, Scope, Send

from svckit.address import Address
from svckit.bind import bind, bound_address

UPGRADE = (
    b"GET / HTTP/1.1\r\nhost: test\r\nconnection: Upgrade, HTTP2-Settings\r\n"
    b"upgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n\r\n"
)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


async def test_whoever_asks_for_http2_gets_it_from_the_protocol_of_that_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Importing our HTTP server has replaced it for the whole process.
    monkeypatch.setattr(hypercorn.protocol, "H11Protocol", H11Protocol)
    listener = bind(Address("127.0.0.1", 0), variable="TEST_BIND")
    address = bound_address(listener)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    stop = asyncio.Event()
    server = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type] # two spellings of the same interface
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(UPGRADE)
        answer = await asyncio.wait_for(reader.readline(), 5)
    finally:
        writer.close()
        stop.set()
        await asyncio.wait_for(server, 10)

    assert answer.startswith(b"HTTP/1.1 101")
