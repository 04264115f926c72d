"""Who keeps the lease: which feed is followed, for how long, and what is said about it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from catalogsvc.authz import watcher
from catalogsvc.authz.feed import (
    Feed,
    FeedConnection,
    FeedRefused,
    FeedUnsupported,
    Page,
    Position,
)
from catalogsvc.authz.freshness import Freshness
from catalogsvc.authz.transport import Failure, PathFailed
from catalogsvc.authz.watcher import Watcher
from tests.contract.authz.fake_book import FakeAuth
from tests.contract.authz.fake_transport import FakeFeed

BOUND_S = 10.0
MAX_STALENESS_S = 0.2


@pytest.fixture
def auth() -> FakeAuth:
    return FakeAuth()


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rules, in shorter time."""
    for name, value in (("PATIENCE_S", 0.1), ("UNSUPPORTED_S", 0.1), ("BACKOFF_LEAST_S", 0.005)):
        monkeypatch.setattr(watcher, name, value)


class Watching:
    """A running watcher, and all that can be seen of it."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self.clock = asyncio.get_running_loop().time
        self.freshness = Freshness(max_staleness_s=MAX_STALENESS_S)
        self.forgotten: list[Position] = []
        self.log = LogCapture()
        self.watcher = Watcher(
            feeds,
            self.freshness,
            max_staleness_s=MAX_STALENESS_S,
            lease_clock=self.clock,
            jitter=lambda: 1.0,
            forget=self.forgotten.append,
            log=structlog.wrap_logger(
                structlog.PrintLogger(),
                processors=[self.log],
                wrapper_class=structlog.make_filtering_bound_logger(0),
            ),
        )

    @property
    def is_leased(self) -> bool:
        return self.freshness.is_leased(self.clock())

    @property
    def events(self) -> list[str]:
        return [entry["event"] for entry in self.log.entries]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND_S):
            while not holds():  # noqa: ASYNC110 # what holds has no event of its own
                await asyncio.sleep(0.002)


@asynccontextmanager
async def watching(*feeds: Feed) -> AsyncIterator[Watching]:
    seen = Watching(feeds)
    running = asyncio.create_task(seen.watcher.run())
    try:
        yield seen
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class OtherFeed:
    """Not as it should be: `connect` fails or hangs, or each page is as `receive` makes it."""

    name = "other://auth"

    def __init__(self, receive: Callable[[], Page] | None = None, **fails: Any) -> None:
        self.connections = 0
        self._error: BaseException | None = fails.get("error")
        self._hangs: bool = fails.get("hangs", False)
        self._receive = receive

    @asynccontextmanager
    async def connect(self, position: Position, *, tick: int) -> AsyncIterator[FeedConnection]:
        self.connections += 1
        if self._error is not None:
            raise self._error
        if self._hangs:
            await asyncio.Event().wait()
        yield self

    async def send_tick(self, tick: int) -> None:
        raise PathFailed(self.name, Failure.BROKEN_OFF)

    async def receive(self) -> Page:
        await asyncio.sleep(0)
        if self._receive is None:
            raise PathFailed(self.name, Failure.BROKEN_OFF)
        return self._receive()

    async def close(self) -> None:
        return None


async def test_the_lease_is_held_for_as_long_as_the_feed_goes_on(auth: FakeAuth) -> None:
    feed = FakeFeed(auth=auth)
    async with watching(feed) as seen:
        await seen.until(lambda: seen.is_leased)
        began = seen.clock()
        while seen.clock() < began + 3 * MAX_STALENESS_S:
            assert seen.is_leased
            await asyncio.sleep(0.01)

    assert feed.connections == 1
    assert seen.events == []


async def test_a_change_is_known_at_once(auth: FakeAuth) -> None:
    async with watching(FakeFeed(auth=auth)) as seen:
        await seen.until(lambda: seen.is_leased)
        auth.change("o", "u", "l")

        await seen.until(lambda: seen.freshness.position.revision == auth.revision)

    assert seen.freshness.is_touched(("o", "u", "l"), since=auth.revision - 1)


async def test_a_reset_says_what_was_known_before(auth: FakeAuth) -> None:
    async with watching(FakeFeed(auth=auth)) as seen:
        await seen.until(lambda: seen.is_leased)
        before = seen.freshness.position
        auth.database_id = "another"
        await seen.until(lambda: seen.freshness.position.database_id == "another")

    assert seen.forgotten == [Position(), before]


async def test_the_next_feed_is_followed_when_one_is_cut(auth: FakeAuth) -> None:
    first, second = FakeFeed(auth=auth, name="first"), FakeFeed(auth=auth, name="second")
    async with watching(first, second) as seen:
        await seen.until(lambda: seen.is_leased)
        first.is_cut = True
        await seen.until(lambda: second.connections == 1)
        await seen.until(lambda: seen.events == ["auth_feed_lost", "auth_feed_back"])

    assert [entry["target"] for entry in seen.log.entries] == ["first", "second"]
    assert seen.log.entries[0]["error"] == "BROKEN_OFF"


async def test_a_silent_feed_is_given_up(auth: FakeAuth) -> None:
    silent, other = FakeFeed(auth=FakeAuth(is_feed_silent=True)), FakeFeed(auth=auth)
    async with watching(silent, other) as seen:
        await seen.until(lambda: seen.is_leased)

    assert other.connections == 1
    assert seen.log.entries[0]["error"] == "TIMED_OUT"


async def test_a_feed_that_tells_changes_and_answers_no_tick_is_given_up(auth: FakeAuth) -> None:
    chatty = OtherFeed(lambda: Page(tick=0, database_id="db", after=1, revision=1, is_reset=True))
    async with watching(chatty, FakeFeed(auth=auth)) as seen:
        await seen.until(lambda: seen.is_leased)

    assert chatty.connections == 1


async def test_a_feed_that_cannot_be_reached_is_given_up(auth: FakeAuth) -> None:
    async with watching(OtherFeed(hangs=True), FakeFeed(auth=auth)) as seen:
        await seen.until(lambda: seen.is_leased)


@pytest.mark.parametrize(
    ("feed", "why"),
    [
        (OtherFeed(), "BROKEN_OFF"),
        (OtherFeed(error=ZeroDivisionError()), "ZeroDivisionError"),
        (OtherFeed(error=asyncio.CancelledError()), "TIMED_OUT"),
        (OtherFeed(error=FeedUnsupported()), "UNSUPPORTED"),
        (OtherFeed(error=FeedRefused()), "REFUSED"),
        (
            OtherFeed(lambda: Page(tick=0, database_id="db", after=5, revision=6)),
            "UNINTELLIGIBLE",
        ),
    ],
)
async def test_whatever_goes_wrong_the_next_one_is_tried_and_it_is_said_once(
    auth: FakeAuth, feed: OtherFeed, why: str
) -> None:
    good = FakeFeed(auth=auth, is_cut=True)
    async with watching(feed, good) as seen:
        await seen.until(lambda: feed.connections > 2)
        good.is_cut = False
        await seen.until(lambda: seen.is_leased)
        await seen.until(lambda: len(seen.events) == 2)

    assert seen.events == ["auth_feed_lost", "auth_feed_back"]
    assert seen.log.entries[0]["error"] == why


async def test_a_server_without_a_feed_is_asked_again_when_it_may_have_one(auth: FakeAuth) -> None:
    feed = OtherFeed(error=FeedUnsupported())
    async with watching(feed) as seen:
        await seen.until(lambda: feed.connections == 1)
        began = seen.clock()
        await seen.until(lambda: feed.connections == 2)

    assert seen.clock() - began >= 0.09


async def test_no_task_outlives_the_watcher(auth: FakeAuth) -> None:
    before = asyncio.all_tasks()
    async with watching(FakeFeed(auth=auth)) as seen:
        await seen.until(lambda: seen.is_leased)
    for _ in range(5):
        await asyncio.sleep(0)

    assert asyncio.all_tasks() == before


async def test_a_bug_outside_of_a_connection_is_said_and_the_watching_goes_on(
    auth: FakeAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalogsvc.authz.watcher.FAILED_PAUSE_S", 0.001)

    class Nameless(OtherFeed):
        @property
        def name(self) -> str:  # type: ignore[override] # asked for outside of the connection
            raise LookupError("a bug")

    async with watching(Nameless(), FakeFeed(auth=auth)) as seen:
        await seen.until(lambda: seen.is_leased)

    (failed,) = [e for e in seen.log.entries if e["event"] == "auth_watcher_failed"]
    assert failed["log_level"] == "error"
    assert isinstance(failed["exc_info"], LookupError)
