"""Channels to one gRPC target: kept alive, taken in turn, each with a bound on calls in flight."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from grpclib.client import Channel
from grpclib.config import Configuration
from grpclib.encoding.base import CodecBase
from grpclib.protocol import H2Protocol

from svckit.address import Address

__all__ = ["ChannelPool", "LastingChannel", "CALLS_PER_CHANNEL_MAX"]

# A server's stream limit is 100 by default, and grpclib's does not survive the 101st.
CALLS_PER_CHANNEL_MAX = 90

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

    _transport: asyncio.Transport | None = None

    @property
    def _connected(self) -> bool:
        # With unsent bytes, a connection that keepalive closed never reports its loss. grpclib
        # then goes on using it, and each call ends in an AttributeError.
        return super()._connected and not self._protocol.connection.is_closing()  # type: ignore[union-attr] # connected means there is one

    async def _create_connection(self) -> H2Protocol:
        self._abort()
        protocol = await super()._create_connection()
        self._transport = getattr(protocol.connection, "_transport", None)
        return protocol

    def close(self) -> None:
        super().close()
        self._abort()

    def _abort(self) -> None:
        # A polite close waits for a peer that may be gone.
        if self._transport is not None:
            self._transport.abort()
            self._transport = None


@dataclass(slots=True, kw_only=True)
class _Lane:
    channel: LastingChannel
    slots: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(CALLS_PER_CHANNEL_MAX)
    )


class ChannelPool:
    """`size` channels; they connect when first used. Made and used on one running event loop."""

    __slots__ = ("_lanes", "_turn", "address")

    def __init__(self, address: Address, *, size: int, codec: CodecBase) -> None:
        self.address = address
        self._turn = 0
        self._lanes = tuple(
            _Lane(channel=LastingChannel(address.host, address.port, codec=codec, config=KEEPALIVE))
            for _ in range(size)
        )

    @property
    def is_full(self) -> bool:
        """The next lease would have to wait."""
        return all(lane.slots.locked() for lane in self._lanes)

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Channel]:
        """The next channel with room, for one call. Waits for it, bounded only by the caller."""
        lane = self._next_lane()
        async with lane.slots:
            yield lane.channel

    def _next_lane(self) -> _Lane:
        turn = self._turn
        self._turn = (turn + 1) % len(self._lanes)
        in_turn = (*self._lanes[turn:], *self._lanes[:turn])
        return next((lane for lane in in_turn if not lane.slots.locked()), in_turn[0])

    def close(self) -> None:
        """Ends the connections. The channels would reconnect if asked: do not ask them again."""
        for lane in self._lanes:
            lane.channel.close()
