"""grpclib's server connection with what it lacks: limits, our deadlines, and a list of its tasks.

Overrides undocumented parts of grpclib, which is why its version is pinned exactly. Each override
has a test that fails when grpclib changes.
"""

# ruff: noqa: SLF001 # there is no public way to any of it

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, cast

from grpclib.config import Configuration
from grpclib.const import Cardinality, Status
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError
from grpclib.metadata import decode_timeout
from grpclib.protocol import EventsProcessor, H2Protocol
from grpclib.protocol import Stream as H2Stream
from grpclib.server import Handler
from grpclib.server import Server as GrpclibServer
from h2.errors import ErrorCodes
from h2.events import RequestReceived
from h2.stream import StreamState

from svckit.deadline import Deadline
from svckit.errors import MalformedMessage
from svckit.grpc_streams import MessageConnection, MessageProtocol, MessageStream
from svckit.messages import CompressedMessage

__all__ = ["Server", "Stream", "MESSAGE_BYTES_MAX"]

MESSAGE_BYTES_MAX = 256 * 1024
# A client that does not read what it asked for pins the call that answers it.
UNREAD_TIMEOUT_S = 20.0
# Longer is as good as none, and uvloop's timers overflow on what a client may write here.
TIMEOUT_S_MAX = 24 * 3600.0

Headers = list[tuple[str, str]]


class Stream(MessageStream):
    """One call on its connection. `deadline` is the client's; None when it set none."""

    message_bytes_max = MESSAGE_BYTES_MAX
    deadline: Deadline | None = None
    is_unary = False

    @property
    def is_answered(self) -> bool:
        """We have ended our half, though the client may not have ended its own."""
        assert self.id is not None
        stream = self._h2_connection.streams[self.id]
        return stream.state_machine.state is StreamState.HALF_CLOSED_LOCAL

    @property
    def peer_certificate(self) -> Mapping[str, Any] | None:
        """The client's, verified; as `SSLObject.getpeercert` gives it."""
        # Not grpclib's own, which parses the certificate anew for each call.
        certificate: Mapping[str, Any] | None = self._transport.get_extra_info("peercert")
        return certificate

    async def next_message(self) -> bytes | None:
        """Raises as Messages, but GRPCError(UNIMPLEMENTED) for a compressed message."""
        try:
            message = await super().next_message()
        except CompressedMessage as exc:
            raise GRPCError(Status.UNIMPLEMENTED, exc.detail) from exc
        if message is None and self.is_unary:
            raise MalformedMessage("the request holds no complete message")
        return message


class _Connection(MessageConnection):
    stream_class = Stream


class _Processor(EventsProcessor):
    def process_request_received(self, event: RequestReceived) -> None:
        stream = self.connection.create_stream(stream_id=event.stream_id)
        release = self.register(stream)
        # Text, because grpclib has h2 decode header bytes.
        self.handler.accept(stream, cast(Headers, event.headers), release)


class _Protocol(MessageProtocol):
    """`Server.connections` holds it while it is open."""

    connection_class = _Connection

    transport: asyncio.Transport
    _unread: asyncio.TimerHandle | None = None

    def __init__(self, handler: Handler, server: "Server") -> None:
        super().__init__(handler, server._config, server._h2_config)
        self._server = server
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self.processor = _Processor(self.handler, self.connection)
        self._server.connections.add(self)

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except Exception:  # noqa: BLE001 # bytes that grpclib chokes on: the client's fault, not ours
            self.processor.close("protocol error")

    def pause_writing(self) -> None:
        super().pause_writing()
        loop = asyncio.get_running_loop()
        self._unread = loop.call_later(UNREAD_TIMEOUT_S, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._forget_unread()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._forget_unread()
        self._server.connections.discard(self)
        self.lost.set_result(None)
        super().connection_lost(exc)

    def _forget_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


class _Handler(Handler):
    def __init__(self, server: "Server") -> None:
        super().__init__(
            server._mapping, server._codec, server._status_details_codec, server.__dispatch__
        )
        self._server = server

    def accept(
        self, stream: H2Stream, headers: Headers, release_stream: Callable[[], None]
    ) -> None:
        assert isinstance(stream, Stream)
        method = self.mapping.get(dict(headers).get(":path", ""))
        stream.is_unary = method is not None and method.cardinality is Cardinality.UNARY_UNARY
        # A cancelled task may never run its first step, so it is not the task that must release.
        super().accept(stream, self._own_deadline(stream, headers), _nothing)
        task = self._tasks[stream]
        self._server.calls[task] = stream
        task.add_done_callback(partial(self._ended, stream, release_stream))

    def _own_deadline(self, stream: Stream, headers: Headers) -> Headers:
        """Takes the deadline out: two timers for one deadline would disagree on the status."""
        try:
            timeouts = [decode_timeout(value) for name, value in headers if name == "grpc-timeout"]
        except (ValueError, OverflowError):
            return headers  # grpclib refuses the call
        if timeouts:
            timeout_s = min(*timeouts, TIMEOUT_S_MAX)
            stream.deadline = Deadline.after(timeout_s, now=self.loop.time())
        return [header for header in headers if header[0] != "grpc-timeout"]

    def _ended(
        self, stream: Stream, release_stream: Callable[[], None], task: asyncio.Task[None]
    ) -> None:
        del self._server.calls[task]
        release_stream()
        # An error while answering, or a call that was cut off: left alone, the client would wait.
        if stream.closable and not stream.is_answered:
            stream.reset_nowait(ErrorCodes.INTERNAL_ERROR)

    def cancel(self, stream: H2Stream) -> None:
        # A reset may find the call over but its stream not yet released.
        if stream in self._tasks:
            super().cancel(stream)


class Server(GrpclibServer):
    """`calls`: every call in flight, by its task. `connections`: every open one."""

    def __init__(
        self, services: Collection[Any], *, codec: CodecBase, config: Configuration
    ) -> None:
        super().__init__(services, codec=codec, config=config)
        self.calls: dict[asyncio.Task[None], Stream] = {}
        self.connections: set[_Protocol] = set()

    @property
    def unary_calls(self) -> set[asyncio.Task[None]]:
        return {task for task, stream in self.calls.items() if stream.is_unary}

    def stop_accepting(self) -> None:
        """Open connections stay as they are."""
        assert self._server is not None, "not started"
        self._server.close()

    async def close_connections(self, timeout_s: float) -> None:
        """Closes each once its last bytes are out, or at the latest after `timeout_s`."""
        open_connections = set(self.connections)
        for connection in open_connections:
            connection.processor.close("the server is closing")
        if open_connections:
            await asyncio.wait({c.lost for c in open_connections}, timeout=timeout_s)
        for connection in set(self.connections):
            connection.transport.abort()

    def _protocol_factory(self) -> H2Protocol:
        self.__gc_step__()
        handler = _Handler(self)
        self._handlers.add(handler)
        return _Protocol(handler, self)


def _nothing() -> None:
    pass
