"""Messages come out whole and in order, however they were cut, and each byte is counted once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svckit.errors import MalformedMessage, TooLarge
from svckit.messages import ACKNOWLEDGED_BYTES, PREFIX_BYTES, CompressedMessage, Messages

BYTES_MAX = 40_000
WINDOW_BYTES = 2 * ACKNOWLEDGED_BYTES
# Data and what it took of the window.
Arrival: TypeAlias = tuple[bytes, int]

bodies = st.one_of(
    st.binary(max_size=20),
    st.builds(
        lambda size, first: (bytes([first]) + bytes(size))[:size],
        st.sampled_from([0, ACKNOWLEDGED_BYTES - 1, ACKNOWLEDGED_BYTES, 30_000, BYTES_MAX]),
        st.integers(0, 255),
    ),
)
cuts = st.lists(st.one_of(st.integers(0, 12), st.integers(0, 20_000)), max_size=8)
paddings = st.integers(0, 256)


def framed(body: bytes, *, flag: int = 0) -> bytes:
    return bytes([flag]) + len(body).to_bytes(4) + body


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[bytes], list[Arrival]]:
    """Messages, and how they come."""
    messages = draw(st.lists(bodies, max_size=5))
    left, arrivals = b"".join(map(framed, messages)), []
    for size in [*draw(cuts), len(left)]:
        piece, left = left[:size], left[size:]
        arrivals.append((piece, len(piece) + draw(paddings)))
    return messages, arrivals


class Peer:
    """Sends when the window has room for it; `acknowledged` is what it was told of."""

    def __init__(self) -> None:
        self.messages = Messages(self._acknowledge, bytes_max=BYTES_MAX)
        self.acknowledged = 0

    def _acknowledge(self, size: int) -> None:
        assert size >= 0
        self.acknowledged += size

    def taken(self) -> list[bytes]:
        taken = []
        while (message := self.messages.take()) is not None:
            taken.append(message)
        return taken

    def give(self, arrivals: Sequence[Arrival]) -> None:
        for arrival in arrivals:
            self.messages.add(*arrival)


def take_as_it_comes(peer: Peer, arrivals: Sequence[Arrival]) -> list[bytes]:
    taken = []
    for arrival in arrivals:
        peer.messages.add(*arrival)
        taken += peer.taken()
    peer.messages.eof()
    return taken + peer.taken()


def take_at_the_end(peer: Peer, arrivals: Sequence[Arrival]) -> list[bytes]:
    peer.give(arrivals)
    peer.messages.eof()
    return peer.taken()


def wait_for_next(peer: Peer, arrivals: Sequence[Arrival]) -> list[bytes]:
    async def read() -> list[bytes]:
        read = []
        while (message := await peer.messages.next()) is not None:
            read.append(message)
        return read

    return asyncio.run(_with_arrivals(peer, arrivals, read))


def be_told_of_each(peer: Peer, arrivals: Sequence[Arrival]) -> list[bytes]:
    told: list[bytes] = []

    async def read() -> list[bytes]:
        await peer.messages.each(told.append)
        return told

    return asyncio.run(_with_arrivals(peer, arrivals, read))


async def _with_arrivals(
    peer: Peer, arrivals: Sequence[Arrival], read: Callable[[], Awaitable[list[bytes]]]
) -> list[bytes]:
    """Some at once, and some when the reader has waited."""
    reading = asyncio.ensure_future(read())
    for number, arrival in enumerate(arrivals):
        peer.messages.add(*arrival)
        if number % 2:
            await asyncio.sleep(0)
    peer.messages.eof()
    return await reading


WAYS = [take_as_it_comes, take_at_the_end, wait_for_next, be_told_of_each]
Way = Callable[[Peer, Sequence[Arrival]], list[bytes]]


@pytest.mark.parametrize("way", WAYS)
@given(streams())
def test_they_come_out_whole_and_in_order_and_all_is_acknowledged_once(
    way: Way, stream: tuple[list[bytes], list[Arrival]]
) -> None:
    messages, arrivals = stream
    peer = Peer()

    assert way(peer, arrivals) == messages
    # As grpclib does when it releases the stream.
    left = peer.messages.unacked_size()
    assert peer.acknowledged + left == sum(size for _, size in arrivals)
    assert left < ACKNOWLEDGED_BYTES
    assert peer.messages.unacked_size() == 0


@pytest.mark.parametrize("way", WAYS)
@given(streams(), st.data())
def test_an_end_in_the_middle_of_one_is_malformed(
    way: Way, stream: tuple[list[bytes], list[Arrival]], data: st.DataObject
) -> None:
    _, arrivals = stream
    begun = framed(b"begun")[: data.draw(st.integers(1, PREFIX_BYTES + 4))]

    with pytest.raises(MalformedMessage, match="in the middle"):
        way(Peer(), [*arrivals, (begun, len(begun))])


@pytest.mark.parametrize("way", WAYS)
@given(streams(), st.integers(1, 255))
def test_a_compressed_one_is_refused(
    way: Way, stream: tuple[list[bytes], list[Arrival]], flag: int
) -> None:
    compressed = framed(b"x", flag=flag)

    with pytest.raises(CompressedMessage):
        way(Peer(), [*stream[1], (compressed, len(compressed))])


@pytest.mark.parametrize("way", WAYS)
@given(streams(), st.integers(BYTES_MAX + 1, 2**32 - 1))
def test_one_that_is_too_large_is_refused_before_its_bytes_are_read(
    way: Way, stream: tuple[list[bytes], list[Arrival]], size: int
) -> None:
    prefix = b"\0" + size.to_bytes(4)

    with pytest.raises(TooLarge):
        way(Peer(), [*stream[1], (prefix, PREFIX_BYTES)])


@given(st.lists(bodies, max_size=8), st.integers(1, WINDOW_BYTES), st.booleans())
def test_what_is_kept_is_bounded_and_one_larger_than_the_window_gets_through(
    messages: list[bytes], piece_bytes: int, is_slow: bool
) -> None:
    peer = Peer()
    left, sent, taken = b"".join(map(framed, messages)), 0, []
    while left:
        room = WINDOW_BYTES - (sent - peer.acknowledged)
        piece, left = left[: min(room, piece_bytes)], left[min(room, piece_bytes) :]
        if piece:
            sent += len(piece)
            peer.messages.add(piece, len(piece))
        assert len(peer.messages._unread) <= WINDOW_BYTES + PREFIX_BYTES + BYTES_MAX
        # A slow reader reads only what it must: when the peer has no more room.
        if not is_slow or not piece:
            found = peer.taken()
            taken += found
            assert found or piece or peer.acknowledged == sent, "neither can go on"

    assert taken + peer.taken() == messages


@given(st.lists(st.binary(max_size=5), min_size=1, max_size=6), st.data())
def test_after_an_exception_of_the_told_nothing_is_told(
    messages: list[bytes], data: st.DataObject
) -> None:
    bad = data.draw(st.integers(0, len(messages) - 1))
    early = data.draw(st.integers(0, len(messages)))
    peer, told = Peer(), list[bytes]()

    def tell(message: bytes) -> None:
        told.append(message)
        if len(told) == bad + 1:
            raise LookupError

    async def be_told() -> None:
        peer.give([(framed(message), 10) for message in messages[:early]])
        telling = asyncio.ensure_future(peer.messages.each(tell))
        await asyncio.sleep(0)
        peer.give([(framed(message), 10) for message in messages[early:]])
        peer.messages.eof()
        with pytest.raises(LookupError):
            await telling

    asyncio.run(be_told())

    assert told == messages[: bad + 1]


@pytest.mark.parametrize("is_each", [False, True])
@given(st.lists(st.binary(max_size=5), max_size=4), st.integers(0, 9))
def test_a_cancelled_wait_leaves_no_trace(is_each: bool, messages: list[bytes], cut: int) -> None:
    peer, told = Peer(), list[bytes]()
    whole = b"".join(map(framed, messages))

    async def cancel_a_wait() -> None:
        waiting = peer.messages.each(told.append) if is_each else peer.messages.next()
        task = asyncio.ensure_future(waiting)
        await asyncio.sleep(0)
        task.cancel()
        # What comes before the cancel has been heard is nobody's yet.
        peer.messages.add(whole[:cut], cut)
        await asyncio.wait({task})
        assert task.cancelled()

    asyncio.run(cancel_a_wait())
    rest = take_as_it_comes(peer, [(whole[cut:], len(whole))])

    assert told == []
    assert rest == messages
