"""Servers of access.v1 that say on each stream what a test wants them to say."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias

from grpclib._typing import IServable
from grpclib.const import Cardinality
from grpclib.const import Handler as RpcHandler
from grpclib.server import Server, Stream

from catalogsvc.authz.grpc_transport import open_codec
from generated.access import v1 as access

__all__ = ["ScriptedServer", "answer_to", "serve_script"]

Questions: TypeAlias = "Stream[access.CheckLocalsRequest, access.CheckLocalsResponse]"
Feed: TypeAlias = "Stream[access.WatchRequest, access.WatchResponse]"


class ScriptedServer:
    """`check` and `watch` are called with each stream; `streams` counts them."""

    def __init__(
        self,
        *,
        check: Callable[[Questions], Awaitable[None]] | None = None,
        watch: Callable[[Feed], Awaitable[None]] | None = None,
    ) -> None:
        self._check = check
        self._watch = watch
        self.streams = 0

    def __mapping__(self) -> dict[str, RpcHandler]:
        return {
            "/access.v1.AccessService/CheckLocals": RpcHandler(
                self._on_check,
                Cardinality.STREAM_STREAM,
                access.CheckLocalsRequest,
                access.CheckLocalsResponse,
            ),
            "/access.v1.AccessService/Watch": RpcHandler(
                self._on_watch,
                Cardinality.STREAM_STREAM,
                access.WatchRequest,
                access.WatchResponse,
            ),
        }

    async def _on_check(self, stream: Questions) -> None:
        self.streams += 1
        assert self._check is not None
        await self._check(stream)

    async def _on_watch(self, stream: Feed) -> None:
        self.streams += 1
        assert self._watch is not None
        await self._watch(stream)


@asynccontextmanager
async def serve_script(*services: IServable) -> AsyncIterator[str]:
    """Yields "host:port"."""
    server = Server(services, codec=open_codec())
    listener = socket.create_server(("127.0.0.1", 0))
    await server.start(sock=listener)
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.close()
        # On Python 3.12 and later this waits for clients that are still connected.
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await server.wait_closed()


def answer_to(request: access.CheckLocalsRequest, **changed: Any) -> access.CheckLocalsResponse:
    """A whole answer, a yes to each row, but for what is `changed`."""
    rows = len(request.user_ids)
    whole: dict[str, Any] = {
        "request_id": request.request_id,
        "reasons": [1] * rows,
        # Each row gets its own user's name, so that no answer can pass for another.
        "local_names": list(request.user_ids),
        "revision": 3,
        "age_ms": 1,
        "database_id": "db-1",
    }
    return access.CheckLocalsResponse(**{**whole, **changed})
