"""A gRPC server on a socket that is bound already, started and drained as one context.

Every call runs inside the interceptors. Health (grpc.health.v1) says what `Readiness` says.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from grpclib.config import Configuration
from grpclib.encoding.base import CodecBase
from grpclib.events import RecvRequest, listen
from grpclib.exceptions import GRPCError
from grpclib.health.check import ServiceStatus
from grpclib.health.service import Health
from grpclib.reflection.service import ServerReflection
from grpclib.server import Stream as ServerStream
from h2.exceptions import StreamClosedError

from svckit.callers import certificate_names
from svckit.errors import Unavailable
from svckit.grpc_connection import Server, Stream
from svckit.interceptors.errors import trailers_of
from svckit.readiness import Readiness
from svckit.rpc import Interceptor, RpcCall, run_intercepted

__all__ = ["serve_grpc"]

CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024
# Smaller than the connection's, so that one stream nobody reads cannot starve its neighbours.
STREAM_WINDOW_BYTES = 256 * 1024
CLOSE_TIMEOUT_S = 1.0


@asynccontextmanager
async def serve_grpc(
    services: Sequence[Any],
    *,
    listener: socket.socket,
    codec: CodecBase,
    interceptors: Sequence[Interceptor],
    readiness: Readiness,
    drain_s: float = 5.0,
    tls: ssl.SSLContext | None = None,
    has_reflection: bool = True,
) -> AsyncIterator[None]:
    """Serves while the body runs. `services` are betterproto's; takes over `listener`.

    On the way out `readiness` drains, new calls are refused as UNAVAILABLE, and unary calls in
    flight get `drain_s` to finish; streams are cut, since theirs is no end to wait for.
    Reflection needs the services' descriptors in protobuf's default pool.
    """
    offered = _offered(services, readiness)
    if has_reflection:
        offered = ServerReflection.extend(offered)
    serving = _Serving(offered, codec, interceptors)
    await serving.server.start(sock=listener, ssl=tls)
    try:
        yield
    finally:
        readiness.drain()
        try:
            await serving.drain(drain_s)
        finally:
            await serving.close()
            listener.close()


def _offered(services: Sequence[Any], readiness: Readiness) -> list[Any]:
    status = ServiceStatus()
    readiness.subscribe(lambda report: status.set(report.is_ready))
    health = Health({service: [status] for service in services})
    return [*services, health]


class _Serving:
    """The server, and which of its calls a drain waits for."""

    def __init__(
        self, services: Sequence[Any], codec: CodecBase, interceptors: Sequence[Interceptor]
    ) -> None:
        config = Configuration(
            http2_connection_window_size=CONNECTION_WINDOW_BYTES,
            http2_stream_window_size=STREAM_WINDOW_BYTES,
        )
        self.server = Server(services, codec=codec, config=config)
        self._interceptors = interceptors
        self._is_draining = False
        listen(self.server, RecvRequest, self._on_request)

    async def drain(self, drain_s: float) -> None:
        self._is_draining = True
        self.server.stop_accepting()
        with suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                # Calls that arrive meanwhile are refused, so each round is shorter.
                while unary := self.server.unary_calls:
                    await asyncio.wait(unary)

    async def close(self) -> None:
        """Cuts what is left. Not grpclib's wait_closed, which hangs while clients are connected."""
        self.server.close()
        if self.server.calls:
            await asyncio.wait(self.server.calls, timeout=CLOSE_TIMEOUT_S)
        await self.server.close_connections(CLOSE_TIMEOUT_S)

    async def _on_request(self, event: RecvRequest) -> None:
        """The one place where interceptors see all: each outcome, cancellation included."""
        answer = event.method_func
        address = event.peer.addr()
        metadata = _texts(event.metadata.items())

        async def intercepted(stream: ServerStream[Any, Any]) -> None:
            h2_stream = stream._stream  # noqa: SLF001 # grpclib hands its deadline on, not ours
            assert isinstance(h2_stream, Stream)
            call = RpcCall(
                method=event.method_name.removeprefix("/"),
                side="server",
                peer=address[0] if address else "",
                deadline=h2_stream.deadline,
                is_streaming=not h2_stream.is_unary,
                metadata=metadata,
                peer_names=certificate_names(h2_stream.peer_certificate),
            )
            await self._run(call, answer, stream)

        event.method_func = intercepted

    async def _run(self, call: RpcCall, answer: Any, stream: ServerStream[Any, Any]) -> None:
        async def innermost() -> None:
            if self._is_draining and not call.is_infrastructure:
                raise Unavailable("shutting down", retry_after_s=0.0)
            await answer(stream)

        try:
            await run_intercepted(self._interceptors, call, innermost)
        except GRPCError as exc:
            # Said here because grpclib's own way has no room for trailing metadata.
            with suppress(StreamClosedError):
                await stream.send_trailing_metadata(
                    status=exc.status, status_message=exc.message, metadata=trailers_of(exc)
                )


def _texts(metadata: Iterable[tuple[str, str | bytes]]) -> dict[str, str]:
    """What was sent several times is joined, as HTTP has it: none of a caller's keys is chosen."""
    texts: dict[str, str] = {}
    for name, value in metadata:
        if isinstance(value, str):
            texts[name] = f"{texts[name]}, {value}" if name in texts else value
    return texts
