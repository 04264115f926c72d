"""grpclib's client stream with what it lacks: a bound on messages, and whole messages as bytes.

Overrides undocumented parts of grpclib, which is why its version is pinned exactly.
"""

# ruff: noqa: SLF001 # there is no public way to any of it

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from grpclib.client import Channel, Stream
from grpclib.const import Cardinality

from svckit.errors import MalformedMessage, TooLarge
from svckit.grpc_streams import MessageConnection, MessageProtocol, MessageStream, framed

__all__ = ["BoundedStream", "BoundedProtocol", "MESSAGE_BYTES_MAX"]

S = TypeVar("S")
R = TypeVar("R")

# The largest answer there is, 512 rows with long names, is a tenth of it.
MESSAGE_BYTES_MAX = 1024 * 1024


class BoundedStream(Stream[S, R]):
    """Receiving raises MalformedMessage on a message that is too large, compressed or cut off.

    And StreamTerminatedError when the stream dies: a task that only receives is not cancelled.
    """

    _stream: MessageStream

    @classmethod
    def in_place_of(cls, stream: Stream[S, R]) -> "BoundedStream[S, R]":
        """As the channel made it; it must not have been entered."""
        channel: Channel = stream._channel
        return cls(
            channel,
            stream._method_name,
            stream._metadata,
            stream._cardinality,
            stream._send_type,
            stream._recv_type,
            codec=stream._codec,
            status_details_codec=stream._status_details_codec,
            dispatch=stream._dispatch,
            deadline=stream._deadline,
        )

    def send_now(self, message: bytes) -> bool:
        """Whether it is on its way; if not, `send_all` waits for room. It is encoded already."""
        return self._stream.send_now(framed(message))

    async def send_all(self, messages: Sequence[bytes]) -> None:
        """These, in one piece."""
        if messages:
            with self._wrapper:
                await self._stream.send_data(b"".join(map(framed, messages)))

    async def recv_each(self, tell: Callable[[bytes], None]) -> None:
        """Calls `tell` with each message the moment it is there, until the end of them."""
        if not self._recv_initial_metadata_done:
            await self.recv_initial_metadata()
        with _malformed_if_too_large():
            await self._stream.messages.each(tell)

    async def recv_bytes(self) -> bytes | None:
        """The next message as it came; None at the end."""
        if not self._recv_initial_metadata_done:
            await self.recv_initial_metadata()
        with _malformed_if_too_large():
            return await self._stream.messages.next()

    async def recv_message(self) -> R | None:
        message = await self.recv_bytes()
        if message is None:
            return None
        decoded: R = self._codec.decode(message, self._recv_type)
        return decoded

    def _raise_for_content_type(self, headers_map: dict[str, str]) -> None:
        # A grpclib server that lacks a method says so without a content type. Its status is what
        # counts, or an older Auth would look like a broken one.
        if "grpc-status" not in headers_map:
            super()._raise_for_content_type(headers_map)

    async def _maybe_finish(self) -> None:
        # A stream without an end is left when we like, and grpclib then resets it.
        if self._cardinality is not Cardinality.STREAM_STREAM:
            await super()._maybe_finish()


@contextmanager
def _malformed_if_too_large() -> Iterator[None]:
    try:
        yield
    except TooLarge as exc:
        raise MalformedMessage(exc.detail) from exc


class _Stream(MessageStream):
    message_bytes_max = MESSAGE_BYTES_MAX


class _Connection(MessageConnection):
    stream_class = _Stream


class BoundedProtocol(MessageProtocol):
    """The connection that BoundedStreams are on."""

    connection_class = _Connection
