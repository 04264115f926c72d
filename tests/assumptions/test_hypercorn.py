"""What the HTTP server relies on in hypercorn."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.types import Receive, Scope, Send

from svckit.address import Address
from svckit.bind import bind


class Recorder:
    """An ASGI app that keeps the scopes it sees."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def served(app: Recorder, config: Config | None = None) -> AsyncIterator[int]:
    """The port on which hypercorn serves `app`."""
    listener = bind(Address("127.0.0.1", 0), variable="TEST_BIND")
    port: int = listener.getsockname()[1]
    config = config or Config()
    config.bind = [f"fd://{listener.detach()}"]
    stop = asyncio.Event()
    server = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait))  # type: ignore[arg-type] # two spellings of the same interface
    try:
        yield port
    finally:
        stop.set()
        await asyncio.wait_for(server, 10)


async def exchange(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


async def test_the_raw_path_is_the_path_as_it_was_sent_without_the_query() -> None:
    app = Recorder()
    async with served(app) as port:
        await exchange(
            port, b"GET /a%2Fb%FF?x=%31 HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n"
        )

    [scope] = app.scopes
    assert scope["raw_path"] == b"/a%2Fb%FF"
    assert scope["query_string"] == b"x=%31"


async def test_bytes_beyond_ascii_in_a_request_line_never_reach_the_app() -> None:
    app = Recorder()
    async with served(app) as port:
        for target in (b"/\xc3\xa9", b"/a?x=\xff"):
            answer = await exchange(port, b"GET %s HTTP/1.1\r\nhost: t\r\n\r\n" % target)
            assert answer.startswith(b"HTTP/1.1 400")

    assert app.scopes == []


async def test_a_shutdown_trigger_leaves_the_signal_handlers_alone() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    async with served(Recorder()):
        during = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    assert during == before


async def test_a_request_whose_head_does_not_come_is_cut_by_the_keep_alive_timeout() -> None:
    # The read timeout starts anew with every byte; this one does not.
    config = Config()
    config.keep_alive_timeout = 1  # whole seconds by its type
    async with served(Recorder(), config) as port:
        answer = await exchange(port, b"GET / HTTP/1.1\r\nhost: ")

    assert b"200" not in answer
