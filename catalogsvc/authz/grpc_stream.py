"""grpclib's client stream with what it lacks: a bound on messages, and whole messages as bytes.

Overrides undocumented parts of grpclib, which is why its version is pinned exactly.
"""

# ruff: noqa: SLF001 # there is no public way to any of it

from collections.abc import Sequence
from typing import TypeVar

from grpclib.client import Channel, Stream
from grpclib.const import Cardinality

from svckit.errors import MalformedMessage

__all__ = ["BoundedStream", "MESSAGE_BYTES_MAX"]

S = TypeVar("S")
R = TypeVar("R")

# The largest answer there is, 512 rows with long names, is a tenth of it.
MESSAGE_BYTES_MAX = 1024 * 1024
PREFIX_BYTES = 5


class BoundedStream(Stream[S, R]):
    """Receiving raises MalformedMessage on a message that is too large, compressed or cut off."""

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

    async def send_all(self, messages: Sequence[bytes]) -> None:
        """These, which are encoded already, in one piece."""
        if not messages:
            return
        framed = [b"\0" + len(message).to_bytes(4, "big") + message for message in messages]
        with self._wrapper:
            await self._stream.send_data(b"".join(framed))

    async def recv_bytes(self) -> bytes | None:
        """The next message as it came; None at the end."""
        if not self._recv_initial_metadata_done:
            await self.recv_initial_metadata()
        with self._wrapper:
            try:
                return await self._recv_frame()
            except AssertionError as exc:  # grpclib's word for an end in the middle
                raise MalformedMessage("the answer ends in the middle of a message") from exc

    async def recv_message(self) -> R | None:
        message = await self.recv_bytes()
        if message is None:
            return None
        decoded: R = self._codec.decode(message, self._recv_type)
        return decoded

    async def _recv_frame(self) -> bytes | None:
        prefix = await self._stream.recv_data(PREFIX_BYTES)
        if not prefix:
            return None
        if prefix[0] != 0:
            raise MalformedMessage("compressed messages are not supported")
        size = int.from_bytes(prefix[1:], "big")
        if size > MESSAGE_BYTES_MAX:
            # Before its bytes are read: what is not read, the server cannot make us keep.
            raise MalformedMessage(f"the answer is larger than {MESSAGE_BYTES_MAX} bytes")
        message = await self._stream.recv_data(size)
        assert len(message) == size
        return message

    def _raise_for_content_type(self, headers_map: dict[str, str]) -> None:
        # A grpclib server that lacks a method says so without a content type. Its status is what
        # counts, or an older Auth would look like a broken one.
        if "grpc-status" not in headers_map:
            super()._raise_for_content_type(headers_map)

    async def _maybe_finish(self) -> None:
        # A stream without an end is left when we like, and grpclib then resets it.
        if self._cardinality is not Cardinality.STREAM_STREAM:
            await super()._maybe_finish()
