"""Many tasks that send on one stream, to a client with small windows that reads when it likes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias

import pytest
from grpclib.client import Channel
from grpclib.client import Stream as ClientStream
from grpclib.config import Configuration
from grpclib.const import Cardinality, Handler
from grpclib.exceptions import ProtocolError, StreamTerminatedError
from grpclib.protocol import Stream as H2Stream
from grpclib.server import Stream
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError as H2ProtocolError
from hyperframe.frame import GoAwayFrame, RstStreamFrame, WindowUpdateFrame

from generated.access.v1 import CheckLocalsRequest, CheckLocalsResponse
from svckit.address import Address
from svckit.bind import bind
from svckit.grpc_server import serve_grpc
from svckit.readiness import Readiness
from svckit.shared_stream import SharedStream
from tests.integration.svckit.serving import portero_codec, wait_until

METHOD = "/access.v1.AccessService/CheckLocals"
SENDERS = 12
# Of a reply: several of them together are more than the windows and the sockets take.
SIZES = (10, 70_000, 20_000, 300_000)
SMALLEST_WINDOWS = Configuration(
    http2_connection_window_size=65_535, http2_stream_window_size=65_535
)
# What grpclib says to a client that leaves so.
LEFT_UNFINISHED = (StreamTerminatedError, ProtocolError, H2ProtocolError)
Replies: TypeAlias = "ClientStream[CheckLocalsRequest, CheckLocalsResponse]"


class Chorus:
    """To a question many replies at once; `numbers` are those begun, `ends` how they ended."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.ends: list[BaseException | None] = []

    def __mapping__(self) -> dict[str, Handler]:
        types = (CheckLocalsRequest, CheckLocalsResponse)
        return {METHOD: Handler(self._answer, Cardinality.STREAM_STREAM, *types)}

    async def _answer(self, stream: Stream[Any, Any]) -> None:
        await stream.send_initial_metadata()
        shared = SharedStream(stream)
        async with asyncio.TaskGroup() as tasks:
            async for _ in shared.received():
                self.begin(shared, tasks, stream._stream)

    def begin(self, shared: SharedStream, tasks: asyncio.TaskGroup, stream: H2Stream) -> None:
        for number in range(1, 1 + SENDERS):
            self.start(shared, tasks, number)

    def start(self, shared: SharedStream, tasks: asyncio.TaskGroup, number: int) -> None:
        sending = self._send(shared, number)
        try:
            tasks.create_task(sending)
        except RuntimeError:
            sending.close()  # the client has left, and the group has ended
        else:
            self.numbers.append(number)

    async def _send(self, shared: SharedStream, number: int) -> None:
        end: BaseException | None = None
        try:
            await shared.send(reply(number))
        except BaseException as exc:
            end = exc
            raise
        finally:
            self.ends.append(end)


def reply(number: int) -> CheckLocalsResponse:
    name = f"{number:x}" * SIZES[number % len(SIZES)]
    return CheckLocalsResponse(request_id=number, local_names=[name])


@asynccontextmanager
async def singing(chorus: Chorus) -> AsyncIterator[Channel]:
    listener = bind(Address("127.0.0.1", 0), variable="TEST_BIND")
    host, port = listener.getsockname()
    codec = portero_codec()
    serving = serve_grpc(
        [chorus],
        listener=listener,
        codec=codec,
        interceptors=(),
        readiness=Readiness(),
        drain_s=0.1,
    )
    async with serving:
        channel = Channel(host, port, codec=codec, config=SMALLEST_WINDOWS)
        try:
            yield channel
        finally:
            channel.close()


def asking(channel: Channel) -> Replies:
    return channel.request(
        METHOD, Cardinality.STREAM_STREAM, CheckLocalsRequest, CheckLocalsResponse, timeout=10.0
    )


async def ask_and_read_slowly(channel: Channel, chorus: Chorus) -> list[CheckLocalsResponse]:
    replies = []
    async with asking(channel) as stream:
        await stream.send_message(CheckLocalsRequest(request_id=1), end=True)
        await wait_until(lambda: len(chorus.numbers) >= SENDERS)
        while (message := await stream.recv_message()) is not None:
            replies.append(message)
            await asyncio.sleep(0)
    return replies


@pytest.mark.parametrize("is_eager", [False, True])
async def test_no_message_is_torn_and_none_is_lost(*, is_eager: bool) -> None:
    async with singing(chorus := Eager() if is_eager else Chorus()) as channel:
        replies = await ask_and_read_slowly(channel, chorus)

    replies.sort(key=lambda each: each.request_id)
    assert replies == [reply(number) for number in chorus.numbers]
    assert chorus.ends == [None] * len(chorus.numbers)


async def test_without_its_lock_they_would_be() -> None:
    async with singing(chorus := Unlocked()) as channel:
        (read,) = await asyncio.gather(ask_and_read_slowly(channel, chorus), return_exceptions=True)

    assert not isinstance(read, TimeoutError)
    # Whatever torn bytes are taken for: it is not what was sent.
    assert isinstance(read, BaseException) or any(each != reply(each.request_id) for each in read)


class Eager(Chorus):
    """Whenever the client has made room one more reply is ready, just before others hear of it."""

    def begin(self, shared: SharedStream, tasks: asyncio.TaskGroup, stream: H2Stream) -> None:
        super().begin(shared, tasks, stream)
        protocol: Any = stream.connection._transport.get_protocol()
        data_received = protocol.data_received

        def received(data: bytes) -> None:
            if len(self.ends) < len(self.numbers):
                # Such a number has a small reply.
                self.start(shared, tasks, self.numbers[-1] + 4 - self.numbers[-1] % 4)
            data_received(data)

        protocol.data_received = received


class Unlocked(Eager):
    def begin(self, shared: SharedStream, tasks: asyncio.TaskGroup, stream: H2Stream) -> None:
        shared._sending = _NoLock()  # type: ignore[assignment] # stands in for it
        super().begin(shared, tasks, stream)


class _NoLock:
    def locked(self) -> bool:
        return False

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass


async def reset_the_stream(channel: Channel, stream: Replies) -> None:
    await stream.cancel()


async def say_goodbye(channel: Channel, stream: Replies) -> None:
    assert channel._protocol is not None
    connection = channel._protocol.connection
    connection._connection.close_connection(ErrorCodes.NO_ERROR)
    connection.flush()


async def cut_the_connection(channel: Channel, stream: Replies) -> None:
    assert channel._protocol is not None
    channel._protocol.connection._transport.abort()


@pytest.mark.parametrize("leave", [reset_the_stream, say_goodbye, cut_the_connection])
async def test_a_client_that_leaves_ends_the_waiting_and_harms_nothing(
    leave: Callable[[Channel, Replies], Awaitable[None]],
) -> None:
    leaver, stayer = Chorus(), Chorus()
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))

    async with singing(leaver) as channel:
        with suppress(*LEFT_UNFINISHED):
            async with asking(channel) as stream:
                await stream.send_message(CheckLocalsRequest(request_id=1))
                await wait_until(lambda: len(leaver.numbers) == SENDERS)
                await leave(channel, stream)
        await wait_until(lambda: len(leaver.ends) == SENDERS)
    async with singing(stayer) as channel:
        replies = await ask_and_read_slowly(channel, stayer)

    assert len(replies) == SENDERS
    assert {type(end) for end in leaver.ends} <= {type(None), asyncio.CancelledError}
    assert errors == []


def reset(stream_id: int) -> bytes:
    return RstStreamFrame(stream_id, error_code=int(ErrorCodes.CANCEL)).serialize()


def goodbye(_: int) -> bytes:
    return GoAwayFrame().serialize()


def room_and_goodbye(stream_id: int) -> bytes:
    room = [WindowUpdateFrame(number, window_increment=2**20) for number in (0, stream_id)]
    return b"".join(frame.serialize() for frame in room) + goodbye(stream_id)


@pytest.mark.parametrize("farewell", [reset, goodbye, room_and_goodbye])
async def test_a_reply_that_is_ready_when_the_client_leaves_is_not_an_error(
    farewell: Callable[[int], bytes],
) -> None:
    chorus = Left(farewell)

    async with singing(chorus) as channel:
        with suppress(*LEFT_UNFINISHED):
            async with asking(channel) as stream:
                await stream.send_message(CheckLocalsRequest(request_id=1))
                await wait_until(lambda: len(chorus.ends) == SENDERS + 1)

    assert {type(end) for end in chorus.ends} <= {type(None), asyncio.CancelledError}


class Left(Chorus):
    """The client's farewell is read just when one more reply is ready, and others wait for room."""

    def __init__(self, farewell: Callable[[int], bytes]) -> None:
        super().__init__()
        self._farewell = farewell

    def begin(self, shared: SharedStream, tasks: asyncio.TaskGroup, stream: H2Stream) -> None:
        super().begin(shared, tasks, stream)
        asyncio.get_running_loop().call_soon(self._leave, shared, tasks, stream)

    def _leave(self, shared: SharedStream, tasks: asyncio.TaskGroup, stream: H2Stream) -> None:
        self.start(shared, tasks, SENDERS + 1)
        assert stream.id is not None
        protocol: Any = stream.connection._transport.get_protocol()
        protocol.data_received(self._farewell(stream.id))
