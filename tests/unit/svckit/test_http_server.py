"""The HTTP server over real sockets, on both event loops: it serves, drains and ends in time."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from svckit.address import Address
from svckit.bind import bind
from svckit.http_server import serve_http
from svckit.rest import BODY_BYTES_MAX, Endpoint, json_answer, read_body, rest_app

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def run_on_loop(scenario: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(scenario, 20))

    return run_on_loop


class Gate:
    """An app whose `/slow` says that it has been reached, and waits until it is let go."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()
        self.app = Starlette(routes=[Route("/fast", self.fast), Route("/slow", self.slow)])

    async def fast(self, _: Request) -> Response:
        return PlainTextResponse("fast")

    async def slow(self, _: Request) -> Response:
        self.reached.set()
        await self.opened.wait()
        return PlainTextResponse("slow but whole")


def listen() -> tuple[socket.socket, int]:
    listener = bind(Address("127.0.0.1", 0), variable="TEST_BIND")
    return listener, listener.getsockname()[1]


async def exchange(port: int, request: bytes) -> bytes:
    """All that the server says until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n".encode()


def test_it_answers_on_the_socket_it_was_given(run: Run) -> None:
    async def scenario() -> None:
        listener, port = listen()
        async with serve_http(Gate().app, listener=listener):
            answer = await exchange(port, get("/fast"))

        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"fast")
        assert b"\r\nserver:" not in answer.lower()

    run(scenario())


def test_an_open_request_is_finished_and_no_new_one_is_taken(run: Run) -> None:
    async def scenario() -> None:
        gate = Gate()
        listener, port = listen()
        async with (
            asyncio.TaskGroup() as tasks,
            serve_http(gate.app, listener=listener, drain_s=10),
        ):
            slow = tasks.create_task(exchange(port, get("/slow")))
            await gate.reached.wait()
            tasks.create_task(open_the_gate_when_closed(gate, port))

        assert (await slow).endswith(b"slow but whole")

    async def open_the_gate_when_closed(gate: Gate, port: int) -> None:
        while True:
            try:
                answer = await exchange(port, get("/fast"))
            except ConnectionError:
                break
            # Not closed yet, or accepted and dropped in the moment of closing.
            assert answer == b"" or answer.endswith(b"fast")
        gate.opened.set()

    run(scenario())


def test_a_request_that_never_ends_does_not_hold_the_stop_beyond_its_bound(run: Run) -> None:
    async def scenario() -> None:
        gate = Gate()
        listener, port = listen()
        async with serve_http(gate.app, listener=listener, drain_s=0.1):
            slow = asyncio.create_task(exchange(port, get("/slow")))
            await gate.reached.wait()
            started_at = time.monotonic()

        assert time.monotonic() - started_at < 0.1 + 1.0 + 2.0
        # Cut by hypercorn; on Python >= 3.12 without uvloop only by the end of the loop.
        slow.cancel()
        [got] = await asyncio.gather(slow, return_exceptions=True)
        assert isinstance(got, BaseException) or b"slow but whole" not in got

    run(scenario())


def test_an_idle_connection_does_not_hold_the_stop(run: Run) -> None:
    async def scenario() -> None:
        listener, port = listen()
        async with serve_http(Gate().app, listener=listener, drain_s=10):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /fast HTTP/1.1\r\nhost: test\r\n\r\n")
            await reader.readuntil(b"fast")
            started_at = time.monotonic()

        assert time.monotonic() - started_at < 5
        assert await reader.read() == b""
        writer.close()

    run(scenario())


def test_a_server_that_cannot_start_cancels_the_body_and_says_why(run: Run) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no start today"})

    async def scenario() -> None:
        listener, _ = listen()
        with pytest.raises(ExceptionGroup) as caught:
            async with serve_http(app, listener=listener):
                await asyncio.Event().wait()

        assert "no start today" in str(caught.value.exceptions[0])

    run(scenario())


def test_a_body_that_fails_still_stops_the_server(run: Run) -> None:
    async def scenario() -> None:
        listener, port = listen()
        with pytest.raises(ExceptionGroup) as caught:
            async with serve_http(Gate().app, listener=listener):
                raise LookupError("the body fails")

        assert caught.group_contains(LookupError, match="the body fails")
        with pytest.raises(ConnectionError):
            await exchange(port, get("/fast"))

    run(scenario())


def test_a_body_just_too_large_gets_its_problem_over_the_wire(run: Run) -> None:
    async def answer(request: Request) -> Response:
        return json_answer(await read_body(request, dict))

    async def scenario() -> None:
        endpoint = Endpoint(method="POST", path="/in", summary="", answer=answer)
        listener, port = listen()
        size = BODY_BYTES_MAX + 1
        head = f"POST /in HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {size}\r\n"
        request = f"{head}content-type: application/json\r\n\r\n".encode() + b"x" * size
        app = rest_app([endpoint], report_bug=str, timeout_s=5)
        async with serve_http(app, listener=listener):
            got = await exchange(port, request)

        assert got.startswith(b"HTTP/1.1 413")
        assert b"application/problem+json" in got

    run(scenario())


def test_a_bug_beyond_the_guard_is_logged_with_its_traceback(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: Scope, __: Receive, ___: Send) -> None:
        raise RuntimeError("a bug in a middleware")

    async def scenario() -> None:
        listener, port = listen()
        async with serve_http(broken, listener=listener):
            answer = await exchange(port, get("/"))
        assert answer.startswith(b"HTTP/1.1 500")

    run(scenario())

    told = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert "a bug in a middleware" in told
