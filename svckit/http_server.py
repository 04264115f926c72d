"""Hypercorn on a socket that is bound already, started and drained as one context."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework
from starlette.types import ASGIApp

__all__ = ["serve_http"]

READ_TIMEOUT_S = 30  # a request that trickles in slower than this is cut
DRAIN_GRACE_S = 1.0  # what the server itself needs after its requests are done


@asynccontextmanager
async def serve_http(
    app: ASGIApp, *, listener: socket.socket, drain_s: float = 5.0
) -> AsyncIterator[None]:
    """Serves `app` while the body runs; then lets open requests finish for at most `drain_s`.

    Takes over `listener`. A server that dies meanwhile cancels the body.
    """
    stop = asyncio.Event()
    # Two spellings of the same interface.
    hypercorn_app = cast(ASGIFramework, app)
    async with asyncio.TaskGroup() as tasks:
        server = tasks.create_task(
            serve(
                hypercorn_app,
                _config(listener, drain_s),
                shutdown_trigger=stop.wait,
                mode="asgi",
            ),
            name="http-server",
        )
        try:
            yield
        finally:
            stop.set()
            # Hypercorn's own bound is ignored on Python >= 3.12 without uvloop, so ours stands too.
            await asyncio.wait({server}, timeout=drain_s + DRAIN_GRACE_S)
            server.cancel()


def _config(listener: socket.socket, drain_s: float) -> Config:
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = drain_s
    config.read_timeout = READ_TIMEOUT_S
    config.accesslog = None  # one line a call comes from our own middleware
    config.errorlog = None
    config.include_server_header = False
    return config
