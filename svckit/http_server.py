"""Hypercorn on a socket that is bound already, started and drained as one context."""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import hypercorn.asyncio.run
import hypercorn.protocol
from h11 import Request
from hypercorn.asyncio import serve
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.config import Config
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.typing import ASGIFramework
from starlette.types import ASGIApp

from svckit.callers import certificate_names

__all__ = ["serve_http", "PEER_NAMES"]

LOG = logging.getLogger("hypercorn.error")

# In the scope's "state": the names in the client's certificate, which TLS has verified.
PEER_NAMES = "peer_names"
READ_TIMEOUT_S = 30  # a request that trickles in slower than this is cut
DRAIN_GRACE_S = 1.0  # what the server itself needs after its requests are done


class _Http1(H11Protocol):
    async def _check_protocol(self, event: Request) -> None:
        """Nobody is taken over to HTTP/2: one such client could stall all others by resets."""


class _TcpServer(TCPServer):
    """One connection; hypercorn itself does not tell whose it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        certificate = self.writer.get_extra_info("peercert")
        self.state = self.state | {PEER_NAMES: certificate_names(certificate)}


# There are no settings for it. The version is pinned, and tests know when this stops working.
setattr(hypercorn.protocol, H11Protocol.__name__, _Http1)
setattr(hypercorn.asyncio.run, TCPServer.__name__, _TcpServer)


class _Config(Config):
    """Hypercorn would read the certificate once, from files that it names."""

    tls: ssl.SSLContext | None = None

    @property
    def ssl_enabled(self) -> bool:
        return self.tls is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        return self.tls


@asynccontextmanager
async def serve_http(
    app: ASGIApp,
    *,
    listener: socket.socket,
    drain_s: float = 5.0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[None]:
    """Serves `app` while the body runs; then lets open requests finish for at most `drain_s`.

    Takes over `listener`. A server that dies meanwhile cancels the body.
    """
    stop = asyncio.Event()
    # Two spellings of the same interface.
    hypercorn_app = cast(ASGIFramework, app)
    async with asyncio.TaskGroup() as tasks:
        server = tasks.create_task(
            _serve_until(stop, hypercorn_app, _config(listener, drain_s, tls)),
            name="http-server",
        )
        try:
            yield
        finally:
            stop.set()
            # Hypercorn's own bound is ignored on Python >= 3.12 without uvloop, so ours stands too;
            # there, a request that it cuts runs on until the loop ends. Services run on uvloop.
            await asyncio.wait({server}, timeout=drain_s + DRAIN_GRACE_S)
            server.cancel()


async def _serve_until(stop: asyncio.Event, app: ASGIFramework, config: Config) -> None:
    serving = asyncio.create_task(serve(app, config, shutdown_trigger=stop.wait, mode="asgi"))
    # What it answers to our cancel is of no interest: a client that does not read makes that an
    # InvalidStateError, and asyncio would complain that nobody had asked.
    serving.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        # Not waited for: from Python 3.12 on such a client would hold up its end as well, until
        # the system gives the connection up. What is left ends with the loop.
        serving.cancel()
        raise


def _config(listener: socket.socket, drain_s: float, tls: ssl.SSLContext | None) -> Config:
    config = _Config()
    config.tls = tls
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = drain_s
    config.read_timeout = READ_TIMEOUT_S
    config.accesslog = None  # one line a call comes from our own middleware
    # What an app lets out beyond its own guard is our bug, and this is the only word of it.
    config.errorlog = LOG
    config.include_server_header = False
    return config
