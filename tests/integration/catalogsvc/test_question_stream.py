"""A question larger than the server's window, and small ones asked while it waits for room.

The server speaks HTTP/2 by itself, so that it decides to the byte when there is room again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived

from catalogsvc.authz.channels import Lane, open_channel
from catalogsvc.authz.grpc_transport import open_codec
from catalogsvc.authz.question_stream import QuestionStream, StreamLost
from svckit.address import Address

# What the server gives: h2's default, of which nothing is given back until `open_window`.
WINDOW_BYTES = 65_535
LARGE = b"L" * (2 * WINDOW_BYTES)
ID_BYTES = 4


class Narrow:
    """`received` is what came on the stream. Answers when told, with the id of the question."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.arrived = asyncio.Event()
        self.is_left = asyncio.Event()
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._writer: asyncio.StreamWriter | None = None
        self._stream_id = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._h2.initiate_connection()
        self.flush()
        while data := await _read(reader):
            for event in self._h2.receive_data(data):
                if isinstance(event, RequestReceived):
                    self._begin(event.stream_id)
                elif isinstance(event, DataReceived):
                    self.received += event.data
            self.flush()
            self.arrived.set()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.is_left.set()

    def _begin(self, stream_id: int) -> None:
        self._stream_id = stream_id
        head = [(":status", "200"), ("content-type", "application/grpc+proto")]
        self._h2.send_headers(stream_id, head)

    def answer(self, request_id: int) -> None:
        """Leaves with the next flush, as what `open_window` says does."""
        self._h2.send_data(self._stream_id, framed(request_id.to_bytes(ID_BYTES)))

    def open_window(self, size: int) -> None:
        self._h2.increment_flow_control_window(size)
        self._h2.increment_flow_control_window(size, self._stream_id)

    def flush(self) -> None:
        assert self._writer is not None
        self._writer.write(self._h2.data_to_send())

    async def wait_for(self, size: int) -> None:
        async with asyncio.timeout(5.0):
            while len(self.received) < size:
                self.arrived.clear()
                await self.arrived.wait()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Nothing at the end, however it came."""
    try:
        return await reader.read(65_536)
    except ConnectionError:
        return b""


class Hasty(QuestionStream[bytes]):
    """Does not look whether something is on its way in part."""

    _is_sending = property(lambda _: False, lambda *_: None)


Opened = tuple[Narrow, QuestionStream[bytes]]


@asynccontextmanager
async def opened(kind: type[QuestionStream[bytes]]) -> AsyncIterator[Opened]:
    server = Narrow()
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        address = Address("127.0.0.1", listening.sockets[0].getsockname()[1])
        channel = open_channel(address, codec=open_codec())
        stream = kind(Lane(channel), "/any/thing", metadata={}, read=read_answer)
        try:
            yield server, stream
        finally:
            stream.task.cancel()
            await asyncio.wait({stream.task})
            channel.close()
            await asyncio.wait_for(server.is_left.wait(), timeout=5.0)


def read_answer(message: bytes) -> tuple[int, bytes]:
    return int.from_bytes(message), message


def question(body: bytes) -> Callable[[int], bytes]:
    return lambda request_id: request_id.to_bytes(ID_BYTES) + body


def framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4) + message


def as_sent(*questions: tuple[int, bytes]) -> bytes:
    return b"".join(framed(question(body)(number)) for number, body in questions)


async def ask_small_while_a_large_one_waits(server: Narrow, stream: QuestionStream[bytes]) -> bytes:
    """What the server has received at the end. Whoever gets the first answer asks at once again:
    the answer and the room for its question come together.
    """
    ask = partial(stream.ask, timeout_s=5.0)
    questions = as_sent((1, b"first"), (2, LARGE), (3, b"again"), (4, b"last"))

    async def ask_twice() -> None:
        await ask(question(b"first"))
        await ask(question(b"again"))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ask_twice())
        await server.wait_for(len(as_sent((1, b"first"))))
        tasks.create_task(ask(question(LARGE)))
        await server.wait_for(WINDOW_BYTES)
        server.answer(1)
        server.open_window(1_000)
        server.flush()
        await server.wait_for(WINDOW_BYTES + 1_000)
        tasks.create_task(ask(question(b"last")))
        server.open_window(len(questions))
        server.flush()
        await server.wait_for(len(questions))
        for request_id in (2, 3, 4):
            server.answer(request_id)
        server.flush()
    return bytes(server.received)


EXPECTED = as_sent((1, b"first"), (2, LARGE), (3, b"again"), (4, b"last"))


async def test_small_ones_wait_for_it_and_arrive_whole_and_in_order() -> None:
    async with opened(QuestionStream) as (server, stream):
        received = await ask_small_while_a_large_one_waits(server, stream)

    assert received == EXPECTED


async def test_one_that_does_not_wait_would_tear_it() -> None:
    async with opened(Hasty) as (server, stream):
        received = await ask_small_while_a_large_one_waits(server, stream)

    assert received != EXPECTED
    assert received.index(as_sent((3, b"again"))) < received.rindex(b"L")


@pytest.mark.parametrize("count", [1, 50])
async def test_what_was_asked_before_the_stream_was_open_goes_first(count: int) -> None:
    async with opened(QuestionStream) as (server, stream):
        asking = [
            asyncio.create_task(stream.ask(question(b"early"), timeout_s=5.0)) for _ in range(count)
        ]
        expected = as_sent(*((number, b"early") for number in range(1, 1 + count)))
        await server.wait_for(len(expected))
        for number in range(1, 1 + count):
            server.answer(number)
        server.flush()
        answers = await asyncio.gather(*asking)

    assert bytes(server.received) == expected
    assert [int.from_bytes(answer) for answer in answers] == list(range(1, 1 + count))


async def test_one_that_is_cancelled_before_its_first_step_fails_its_questions_at_once() -> None:
    channel = open_channel(Address("127.0.0.1", 1), codec=open_codec())
    stream = QuestionStream(Lane(channel), "/any/thing", metadata={}, read=read_answer)
    stream.task.cancel()

    async with asyncio.timeout(5.0):
        with pytest.raises(StreamLost) as lost:
            await stream.ask(question(b"early"), timeout_s=60.0)

    assert isinstance(lost.value.reason, asyncio.CancelledError)
    channel.close()
