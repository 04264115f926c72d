"""The change feed of one target: Watch of access.v1, on a channel of its own.

Of its own, so that no burst of questions stands in the way of the changes.
"""

import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

from google.protobuf.message import DecodeError
from grpclib.const import Cardinality, Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from catalogsvc.authz.answers import read_page
from catalogsvc.authz.channels import open_channel
from catalogsvc.authz.confine import confined
from catalogsvc.authz.feed import FeedRefused, FeedUnsupported, Page, Position
from catalogsvc.authz.grpc_stream import BoundedStream
from catalogsvc.authz.outcomes import GRPC, Outcome
from catalogsvc.authz.transport import Failure, PathFailed
from generated.access import v1 as access
from svckit.address import Address
from svckit.codec import ProtobufCodec
from svckit.errors import MalformedMessage
from svckit.rpc import Interceptor, RpcCall, run_intercepted

__all__ = ["GrpcFeed"]

METHOD = "access.v1.AccessService/Watch"


class GrpcFeed:
    """A Feed. Owns its channel. The interceptors see the opening of a feed, not its hours.

    `suspect` is called when it has ended: other connections to that target may be dead as well.
    """

    __slots__ = ("_channel", "_interceptors", "_messages", "_peer", "_suspect", "name")

    def __init__(
        self,
        address: Address,
        *,
        codec: ProtobufCodec,
        interceptors: Sequence[Interceptor] = (),
        tls: ssl.SSLContext | None = None,
        suspect: Callable[[], None] = lambda: None,
    ) -> None:
        self._peer = str(address)
        self._channel = open_channel(address, codec=codec, tls=tls)
        self._messages = WatchMessages(codec)
        self._suspect = suspect
        self._interceptors = interceptors
        self.name = f"grpc://{self._peer}"

    @asynccontextmanager
    async def connect(
        self, position: Position, *, tick: int
    ) -> AsyncIterator["GrpcFeedConnection"]:
        """Returns when the server has begun to answer."""
        call = RpcCall(method=METHOD, side="client", peer=self._peer, is_streaming=True)
        async with AsyncExitStack() as stack:
            opened: list[GrpcFeedConnection] = []

            async def open_feed() -> None:
                stream = self._channel.request(
                    f"/{METHOD}",
                    Cardinality.STREAM_STREAM,
                    bytes,
                    bytes,
                    metadata=call.metadata,
                )
                await stack.enter_async_context(stream)
                first = self._messages.request(
                    tick=tick, database_id=position.database_id, after_revision=position.revision
                )
                await confined(_begin(stream, first.SerializeToString()))
                opened.append(GrpcFeedConnection(stream, name=self.name, messages=self._messages))

            # What is left was left for a reason: the next one must not be on a dead connection.
            stack.callback(self._give_up)
            with _failing(self.name):
                await run_intercepted(self._interceptors, call, open_feed)
            yield opened[0]

    async def close(self) -> None:
        self._channel.close()

    def _give_up(self) -> None:
        self._channel.close()
        self._suspect()


class GrpcFeedConnection:
    """A FeedConnection. After a failure it is of no use."""

    __slots__ = ("_messages", "_name", "_stream")

    def __init__(
        self, stream: BoundedStream[bytes, bytes], *, name: str, messages: "WatchMessages"
    ) -> None:
        self._stream = stream
        self._name = name
        self._messages = messages

    async def send_tick(self, tick: int) -> None:
        message = self._messages.request(tick=tick).SerializeToString()
        if self._stream.send_now(message):
            return
        with _failing(self._name):
            await confined(self._stream.send_all([message]))

    async def receive(self) -> Page:
        with _failing(self._name):
            said = self._messages.parse(await self._stream.recv_bytes())
        if said.error_code:
            raise PathFailed(self._name, Failure.UNINTELLIGIBLE)
        return read_page(
            tick=said.tick,
            database_id=said.database_id,
            after=said.after_revision,
            revision=said.revision,
            is_reset=said.reset,
            columns=(said.revisions, said.organization_ids, said.user_ids, said.local_ids),
            path=self._name,
        )


class WatchMessages:
    """Google protobuf's own classes: a page as a betterproto dataclass costs ten times as much."""

    def __init__(self, codec: ProtobufCodec) -> None:
        # Any: classes that protobuf makes at run time have no types.
        self.request: Any = codec.wire_class(access.WatchRequest)
        self._response: Any = codec.wire_class(access.WatchResponse)

    def parse(self, message: bytes | None) -> Any:
        if message is None:
            raise StreamTerminatedError("the server ended the feed")
        try:
            return self._response.FromString(message)
        except DecodeError as exc:
            raise MalformedMessage("the page is not a valid protobuf message") from exc


async def _begin(stream: BoundedStream[bytes, bytes], first: bytes) -> None:
    await stream.send_request()
    await stream.send_all([first])
    # An older server says here that it has no feed.
    await stream.recv_initial_metadata()


@contextmanager
def _failing(path: str) -> Iterator[None]:
    try:
        yield
    except GRPCError as exc:
        if exc.status is Status.UNIMPLEMENTED:
            raise FeedUnsupported(path) from exc
        if GRPC[exc.status] is Outcome.REFUSED:
            raise FeedRefused(path) from exc
        raise PathFailed(path, Failure.BROKEN_OFF) from exc
    except MalformedMessage as exc:
        raise PathFailed(path, Failure.UNINTELLIGIBLE) from exc
    except Exception as exc:  # grpclib meets what a peer sends with any exception there is
        raise PathFailed(path, Failure.BROKEN_OFF) from exc
