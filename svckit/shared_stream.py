"""A server's stream whose messages any number of tasks may send, and which costs little to use."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from grpclib.server import Stream as ServerStream

from svckit.grpc_connection import Stream
from svckit.grpc_streams import framed

__all__ = ["SharedStream"]


class SharedStream:
    """Over grpclib's, which is not to be sent on by itself as long as this one is in use."""

    def __init__(self, stream: ServerStream[Any, Any]) -> None:
        h2_stream = stream._stream  # noqa: SLF001 # grpclib's own way is twice as long
        assert isinstance(h2_stream, Stream)
        self._h2_stream = h2_stream
        self._codec = stream._codec  # noqa: SLF001 # the one that the server was given
        self._recv_type, self._send_type = stream._recv_type, stream._send_type  # noqa: SLF001 # as above
        self._sending = asyncio.Lock()

    async def received(self) -> AsyncIterator[Any]:
        """Until the client has sent its last. Raises what is wrong with a message."""
        while (message := await self._h2_stream.next_message()) is not None:
            yield self._codec.decode(message, self._recv_type)

    async def send(self, message: Any) -> None:
        """Waits while the client does not read; nothing is sent once it has left.

        Whoever is cancelled here may leave half a message: the stream has to end with it.
        """
        data = framed(self._codec.encode(message, self._send_type))
        if not self._sending.locked() and self._h2_stream.send_now(data):
            return
        # A message that waits for the client's window goes in pieces: no other may come between.
        try:
            async with self._sending:
                await self._h2_stream.send_data(data)
        except Exception:
            # The client may have left a moment ago: then grpclib is about to cancel us, and h2 and
            # the transport say so each in its own way.
            if self._h2_stream.closable:
                raise
