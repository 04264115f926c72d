"""grpclib's connections and streams as both sides use them: whole messages, a short way for DATA.

Overrides undocumented parts of grpclib, which is why its version is pinned exactly.
"""

# ruff: noqa: SLF001 # there is no public way to any of it

import asyncio
from functools import partial
from typing import cast

from grpclib.exceptions import StreamTerminatedError
from grpclib.protocol import Buffer, Connection, H2Protocol
from grpclib.protocol import Stream as H2Stream
from grpclib.utils import Wrapper

from svckit.data_frames import data_frames, take_data
from svckit.messages import Messages

__all__ = ["MessageStream", "MessageConnection", "MessageProtocol", "framed"]


PING = b"portero!"  # eight bytes, whatever they are


def framed(message: bytes) -> bytes:
    """As it goes on the wire: not compressed, so long."""
    return len(message).to_bytes(5) + message


class MessageStream(H2Stream):
    """`messages` is what has come of the peer's; none may be larger than `message_bytes_max`."""

    message_bytes_max = 0
    messages: Messages
    _body: bytes | None = None

    def init_stream(self, stream_id: int, connection: Connection) -> None:
        super().init_stream(stream_id, connection)
        acknowledge = partial(connection.ack, stream_id)
        self.messages = Messages(acknowledge, bytes_max=self.message_bytes_max)
        self.buffer = cast(Buffer, self.messages)  # it has what grpclib uses of one

    def __terminated__(self, reason: str) -> None:
        # grpclib cancels the tasks that wait on a stream which dies. Who reads is told instead.
        super().__terminated__(reason)
        self.messages.fail(StreamTerminatedError(reason))

    async def next_message(self) -> bytes | None:
        """None at the end. Raises as Messages."""
        return await self.messages.next()

    async def recv_data(self, size: int) -> bytes:
        """grpclib asks in turns for a message's 5-byte prefix and for its body."""
        if self._body is not None:
            body, self._body = self._body, None
            assert len(body) == size, (len(body), size)
            return body
        self._body = await self.next_message()
        return b"" if self._body is None else framed(self._body)[:size]

    def send_now(self, data: bytes) -> bool:
        """Whether all of it is on its way; else none is, and `send_data` would wait for room."""
        if not self.connection.write_ready.is_set() or self._transport.is_closing():
            return False
        assert self.id is not None
        frames = data_frames(self._h2_connection, self.id, data)
        if frames is None:
            return False
        self._transport.write(frames)
        return True

    async def send_data(self, data: bytes, end_stream: bool = False) -> None:
        if end_stream or not self.send_now(data):
            await super().send_data(data, end_stream=end_stream)


class MessageConnection(Connection):
    stream_class: type[MessageStream]

    def ping_now(self) -> None:
        """Beside those of keepalive, which has its own time for the answer."""
        self._connection.ping(PING)
        self.flush()

    def create_stream(
        self, *, stream_id: int | None = None, wrapper: Wrapper | None = None
    ) -> MessageStream:
        return self.stream_class(
            self, self._connection, self._transport, stream_id=stream_id, wrapper=wrapper
        )


class MessageProtocol(H2Protocol):
    """`reads` counts how often something came from the peer."""

    connection: MessageConnection
    connection_class: type[MessageConnection]
    reads = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        # grpclib has no say in which class it makes; ours adds methods and no state.
        self.connection.__class__ = self.connection_class

    def data_received(self, data: bytes) -> None:
        self.reads += 1
        rest = take_data(self.connection._connection, data, self.processor.streams)
        if rest:
            super().data_received(rest)
