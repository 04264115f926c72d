"""The messages of one gRPC stream, put together from its DATA as it comes.

In place of grpclib's buffer, which keeps an object for each frame, has no bound on a message, and
takes two waits to read one. What has not been read is not acknowledged, so the peer's flow-control
window bounds what is kept. Source: "Length-Prefixed-Message" of gRPC over HTTP/2.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from svckit.errors import MalformedMessage, TooLarge

__all__ = ["Messages", "CompressedMessage"]

PREFIX_BYTES = 5
# Less than this is not worth telling the peer of, as long as nothing is waited for.
ACKNOWLEDGED_BYTES = 8 * 1024


class CompressedMessage(MalformedMessage):
    """We announce no compression, so a peer has no reason to use one."""


class Messages:
    """`acknowledge` gives the peer so many bytes of its window back."""

    __slots__ = ("_acknowledge", "_bytes_max", "_failure", "_is_ended", "_on_arrival",
                 "_unacknowledged", "_unread")  # fmt: skip

    def __init__(self, acknowledge: Callable[[int], None], *, bytes_max: int) -> None:
        self._acknowledge = acknowledge
        self._bytes_max = bytes_max
        self._unread = bytearray()
        self._unacknowledged = 0
        self._is_ended = False
        self._failure: Exception | None = None
        self._on_arrival: Callable[[], None] | None = None

    def take(self) -> bytes | None:
        """The next message, when all of it is there.

        Raises TooLarge before its bytes are read, CompressedMessage, MalformedMessage when the
        peer has ended in the middle of one, and what `fail` was given once all are taken.
        """
        unread = self._unread
        if len(unread) >= PREFIX_BYTES:
            if unread[0]:
                raise CompressedMessage("compressed messages are not supported")
            end = PREFIX_BYTES + int.from_bytes(unread[1:PREFIX_BYTES])
            if end > PREFIX_BYTES + self._bytes_max:
                raise TooLarge(f"the message is larger than {self._bytes_max} bytes")
            if len(unread) >= end:
                message = bytes(unread[PREFIX_BYTES:end])
                del unread[:end]
                return message
        if self._failure is not None:
            raise self._failure
        if unread and self._is_ended:
            raise MalformedMessage("the stream ends in the middle of a message")
        # The rest of a message may be larger than the window.
        if unread or self._unacknowledged >= ACKNOWLEDGED_BYTES:
            self._acknowledge(self.unacked_size())
        return None

    async def next(self) -> bytes | None:
        """The next message; None at the end. Raises as `take`."""
        while (message := self.take()) is None and not self._is_ended:
            arrival: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._on_arrival = partial(_wake, arrival)
            try:
                await arrival
            finally:
                self._on_arrival = None
        return message

    async def each(self, tell: Callable[[bytes], None]) -> None:
        """Calls `tell` with each message the moment it is whole, until the end.

        Raises as `take`, and whatever `tell` raises.
        """
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def tell_all() -> None:
            if ended.done():
                return
            try:
                while (message := self.take()) is not None:
                    tell(message)
            except Exception as exc:  # noqa: BLE001 # it is raised where `each` is awaited
                ended.set_exception(exc)
            else:
                if self._is_ended:
                    ended.set_result(None)

        self._on_arrival = tell_all
        tell_all()
        try:
            await ended
        finally:
            self._on_arrival = None

    def fail(self, error: Exception) -> None:
        """There will be no more, for this reason."""
        if not self._is_ended:
            self._failure = error
            self.eof()

    # What grpclib calls its buffer's methods.

    def add(self, data: bytes, ack_size: int) -> None:
        """`ack_size` is what it took of the window, padding included."""
        self._unread += data
        self._unacknowledged += ack_size
        if self._on_arrival is not None:
            self._on_arrival()

    def eof(self) -> None:
        self._is_ended = True
        if self._on_arrival is not None:
            self._on_arrival()

    def unacked_size(self) -> int:
        """What is to be acknowledged now; it counts as such from here on."""
        size, self._unacknowledged = self._unacknowledged, 0
        return size


def _wake(arrival: "asyncio.Future[None]") -> None:
    if not arrival.done():
        arrival.set_result(None)
