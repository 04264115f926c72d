"""An HTTP/2 client that says whatever it likes, as a stranger on the network may."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    Event,
    PingAckReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

from svckit.address import Address
from tests.integration.svckit.serving import VALIDATE_LOCAL

__all__ = ["RawClient", "RawAnswer", "raw_client", "message"]

WAIT_S = 5.0


@dataclass(slots=True)
class RawAnswer:
    """`reset` is the error code of a stream the server reset without an answer."""

    headers: dict[str, str] = field(default_factory=dict)
    reset: int | None = None

    @property
    def status(self) -> str | None:
        return self.headers.get("grpc-status")


class RawClient:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._h2 = H2Connection(
            H2Configuration(
                header_encoding="utf-8",
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self._h2.initiate_connection()
        self._flush()

    def start(
        self, body: bytes, *, headers: Sequence[tuple[str, str]] = (), ends: bool = True
    ) -> int:
        """Sends one ValidateLocal request with these bytes as its body; its stream id."""
        stream_id = self._begin(body, headers, ends=ends)
        self._flush()
        return stream_id

    def start_and_reset(self, body: bytes) -> None:
        """A request and its reset in one packet, so that the server reads them at once."""
        self._h2.reset_stream(self._begin(body, (), ends=False), ErrorCodes.CANCEL)
        self._flush()

    def write(self, raw: bytes) -> None:
        self._writer.write(raw)

    async def ping(self) -> None:
        """Returns when the server has read all that was sent, and we all that it had to say."""
        self._h2.ping(b"portero!")
        self._flush()
        async with asyncio.timeout(WAIT_S):
            while not any(isinstance(e, PingAckReceived) for e in await self._read()):
                pass

    async def answer(self, stream_id: int) -> RawAnswer:
        """Headers and trailers as one; raises TimeoutError when the server stays silent."""
        answer = RawAnswer()
        async with asyncio.timeout(WAIT_S):
            while True:
                for event in await self._read():
                    if getattr(event, "stream_id", 0) != stream_id:
                        continue
                    if isinstance(event, (ResponseReceived, TrailersReceived)):
                        answer.headers |= {str(k): str(v) for k, v in event.headers}
                    elif isinstance(event, StreamReset):
                        answer.reset = int(event.error_code)
                        return answer
                    elif isinstance(event, StreamEnded):
                        return answer

    async def closed(self) -> None:
        """Returns when the server has closed; raises TimeoutError when it does not."""
        async with asyncio.timeout(WAIT_S):
            while await self._reader.read(65536):
                pass

    def _begin(self, body: bytes, headers: Sequence[tuple[str, str]], *, ends: bool) -> int:
        stream_id = self._h2.get_next_available_stream_id()
        self._h2.send_headers(
            stream_id,
            [
                (":method", "POST"),
                (":scheme", "http"),
                (":path", dict(headers).get(":path", VALIDATE_LOCAL)),
                (":authority", "test"),
                ("content-type", "application/grpc"),
                ("te", "trailers"),
                *(header for header in headers if header[0] != ":path"),
            ],
        )
        self._h2.send_data(stream_id, body, end_stream=ends)
        return stream_id

    async def _read(self) -> list[Event]:
        received = await self._reader.read(65536)
        assert received, "the server has closed the connection"
        events = self._h2.receive_data(received)
        self._flush()
        return events

    def _flush(self) -> None:
        self._writer.write(self._h2.data_to_send())


@asynccontextmanager
async def raw_client(address: Address) -> AsyncIterator[RawClient]:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.close()


def message(body: bytes, *, length: int | None = None, flag: int = 0) -> bytes:
    """A gRPC length-prefixed message; `length` may lie."""
    size = len(body) if length is None else length
    return bytes([flag]) + size.to_bytes(4, "big") + body
