"""Channels to one gRPC target: kept alive, taken in turn, each with a bound on calls in flight."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from grpclib.client import Channel, Handler
from grpclib.config import Configuration
from grpclib.protocol import H2Protocol

from catalogsvc.authz.grpc_stream import BoundedProtocol, BoundedStream
from svckit.address import Address
from svckit.codec import ProtobufCodec

__all__ = ["ChannelPool", "Lane", "LastingChannel", "open_channel", "CALLS_PER_CHANNEL_MAX"]

# A server's stream limit is 100 by default, and grpclib's does not survive the 101st.
CALLS_PER_CHANNEL_MAX = 90

# As long as a ping may take there and back.
PROBE_S = 1.0

# Without pings a stopped server costs every call its deadline; grpclib sends them only when all
# five say so.
KEEPALIVE = Configuration(
    _keepalive_time=10,
    _keepalive_timeout=5,
    _keepalive_permit_without_calls=True,
    _http2_max_pings_without_data=0,
    _http2_min_sent_ping_interval_without_data=5,
)


class LastingChannel(Channel):
    """A grpclib Channel that replaces a connection its keepalive gave up, and closes at once."""

    connections_made = 0
    _closings = 0
    _transport: asyncio.Transport | None = None
    _probe: asyncio.TimerHandle | None = None

    def request(self, *args: Any, **kwargs: Any) -> BoundedStream[Any, Any]:
        """As grpclib's, but no answer is larger than we read."""
        return BoundedStream.in_place_of(super().request(*args, **kwargs))

    @property
    def _connected(self) -> bool:
        # With unsent bytes, a connection that keepalive closed never reports its loss. grpclib
        # then goes on using it, and each call ends in an AttributeError.
        return super()._connected and not self._protocol.connection.is_closing()  # type: ignore[union-attr] # connected means there is one

    def _protocol_factory(self) -> H2Protocol:
        return BoundedProtocol(Handler(), self._config, self._h2_config)

    async def _create_connection(self) -> H2Protocol:
        self._abort()
        closings = self._closings
        protocol = await super()._create_connection()
        if closings != self._closings:
            # Closed while it was being made: nobody would ever close it.
            protocol.processor.close("the channel was closed")
            raise ConnectionAbortedError("the channel was closed while it connected")
        self._transport = getattr(protocol.connection, "_transport", None)
        self.connections_made += 1
        return protocol

    def probe(self) -> None:
        """Breaks the connection off unless it shows a sign of life soon.

        For when an answer has not come: keepalive would take fifteen seconds to find out that the
        peer is gone, and a slow answer alone does not say that it is.
        """
        protocol = self._protocol
        if self._probe is not None or protocol is None or not self._connected:
            return
        assert isinstance(protocol, BoundedProtocol)
        protocol.connection.ping_now()
        loop = asyncio.get_running_loop()
        self._probe = loop.call_later(PROBE_S, self._judge, protocol, protocol.reads)

    def _judge(self, protocol: BoundedProtocol, reads: int) -> None:
        self._probe = None
        if protocol is self._protocol and protocol.reads == reads:
            self._abort()

    def close(self) -> None:
        self._closings += 1
        super().close()
        self._abort()

    def _abort(self) -> None:
        # A polite close waits for a peer that may be gone.
        if self._probe is not None:
            self._probe.cancel()
            self._probe = None
        if self._transport is not None:
            self._transport.abort()
            self._transport = None


def open_channel(
    address: Address, *, codec: ProtobufCodec, tls: ssl.SSLContext | None = None
) -> LastingChannel:
    """It connects when first used. Made and used on one running event loop."""
    return LastingChannel(address.host, address.port, codec=codec, config=KEEPALIVE, ssl=tls)


class Lane:
    """One channel, and the bound on its calls in flight."""

    __slots__ = ("_slots", "channel")

    def __init__(self, channel: LastingChannel) -> None:
        self.channel = channel
        self._slots = asyncio.Semaphore(CALLS_PER_CHANNEL_MAX)

    @property
    def is_full(self) -> bool:
        """The next lease would have to wait."""
        return self._slots.locked()

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[LastingChannel]:
        """The channel, for one call or stream. Waits for room, bounded only by the caller."""
        async with self._slots:
            yield self.channel


class ChannelPool:
    """`size` channels; they connect when first used. Made and used on one running event loop."""

    __slots__ = ("_turn", "address", "codec", "lanes")

    def __init__(
        self,
        address: Address,
        *,
        size: int,
        codec: ProtobufCodec,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.address = address
        self.codec = codec
        self.lanes = tuple(Lane(open_channel(address, codec=codec, tls=tls)) for _ in range(size))
        self._turn = 0

    @property
    def reconnects(self) -> int:
        """How often a channel was connected again: since then, another server may be there."""
        return sum(max(0, lane.channel.connections_made - 1) for lane in self.lanes)

    @property
    def is_full(self) -> bool:
        """The next lease would have to wait."""
        return all(lane.is_full for lane in self.lanes)

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[LastingChannel]:
        """The next channel with room, for one call. Waits for it, bounded only by the caller."""
        async with self._next_lane().lease() as channel:
            yield channel

    def _next_lane(self) -> Lane:
        turn = self._turn
        self._turn = (turn + 1) % len(self.lanes)
        in_turn = (*self.lanes[turn:], *self.lanes[:turn])
        return next((lane for lane in in_turn if not lane.is_full), in_turn[0])

    def probe(self) -> None:
        """Breaks off each connection that shows no sign of life soon."""
        for lane in self.lanes:
            lane.channel.probe()

    def close(self) -> None:
        """Ends the connections. The channels would reconnect if asked: do not ask them again."""
        for lane in self.lanes:
            lane.channel.close()
