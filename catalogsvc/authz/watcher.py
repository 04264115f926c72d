"""Keeps the lease: one connection to one target's change feed, and the next one when it fails.

Each tick asks the server to tell all changes before it is echoed. A connection that has brought no
newer tick for a second is of no use, whatever the socket says, and is given up.
"""

import asyncio
from collections.abc import Callable, Sequence

from structlog.typing import FilteringBoundLogger

from catalogsvc.authz.call import Clock
from catalogsvc.authz.feed import (
    Feed,
    FeedConnection,
    FeedRefused,
    FeedUnsupported,
    Page,
    Position,
)
from catalogsvc.authz.freshness import Freshness, Misfit
from catalogsvc.authz.transport import Failure, PathFailed

__all__ = ["Watcher"]

TICK_S = 0.25
PATIENCE_S = 1.0
BACKOFF_LEAST_S = 0.05
BACKOFF_MOST_S = 1.0
# A server without a feed may have one after its next release, or one for us after its next start.
UNSUPPORTED_S = 5.0
CLOSE_TIMEOUT_S = 1.0
# After a bug of our own: it may well be there again.
FAILED_PAUSE_S = 1.0
UNSUPPORTED = "UNSUPPORTED"
REFUSED = "REFUSED"


class Watcher:
    """`run` it in a task until it is cancelled.

    `forget` is called when all that is kept must go, with what was known until then.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        freshness: Freshness,
        *,
        max_staleness_s: float,
        lease_clock: Clock,
        jitter: Callable[[], float],
        forget: Callable[[Position], None],
        log: FilteringBoundLogger,
    ) -> None:
        self._feeds = feeds
        self._freshness = freshness
        # A short lease must be renewed before it ends.
        self._tick_s = min(TICK_S, max_staleness_s / 4)
        self._lease_clock = lease_clock
        self._jitter = jitter
        self._forget = forget
        self._log = log
        self._following: set[asyncio.Task[None]] = set()
        self._patient_until = 0.0
        self._turn = 0
        self._failures = 0
        self._is_lost: bool | None = None

    async def run(self) -> None:
        while True:
            try:
                await self._keep_following()
            except Exception as exc:  # noqa: BLE001 # a bug must not end the lease for ever, unheard
                self._log.error("auth_watcher_failed", exc_info=exc)
            await asyncio.sleep(FAILED_PAUSE_S)

    async def _keep_following(self) -> None:
        while True:
            feed = self._feeds[self._turn % len(self._feeds)]
            self._turn += 1
            why = await self._follow_apart(feed)
            self._failures += 1
            self._say_lost(feed, why)
            # Each of them lacks it, or has none for us: there is nothing to hurry for.
            is_without = why in (UNSUPPORTED, REFUSED) and self._failures >= len(self._feeds)
            await asyncio.sleep(UNSUPPORTED_S if is_without else self._backoff_s())

    async def _follow_apart(self, feed: Feed) -> str:
        """Why the feed is not followed any more: it failed, or our patience ended.

        In a task of its own: a transport may get itself cancelled when its connection dies, or hang
        while it is left, and neither must end us.
        """
        loop = asyncio.get_running_loop()
        self._patient_until = loop.time() + PATIENCE_S
        following = asyncio.create_task(self._follow(feed), name="auth-feed-connection")
        self._following.add(following)
        following.add_done_callback(self._following.discard)
        following.add_done_callback(_hear)
        try:
            while not following.done() and (left_s := self._patient_until - loop.time()) > 0:
                await asyncio.wait((following,), timeout=left_s)
        finally:
            following.cancel()
            await asyncio.wait((following,), timeout=CLOSE_TIMEOUT_S)
        return _why(following)

    async def _follow(self, feed: Feed) -> None:
        """Ends by an exception only."""
        loop = asyncio.get_running_loop()
        self._freshness.connect()
        tick = self._freshness.make_tick(self._lease_clock())
        async with feed.connect(self._freshness.position, tick=tick) as connection:
            ticking = asyncio.create_task(self._send_ticks(connection), name="auth-feed-ticks")
            # A failure to send shows as the end of our patience too.
            ticking.add_done_callback(_hear)
            try:
                newest = 0
                while True:
                    page = await connection.receive()
                    self._take(page)
                    if page.tick > newest:
                        newest = page.tick
                        self._patient_until = loop.time() + PATIENCE_S
                        self._say_back(feed)
            finally:
                ticking.cancel()

    async def _send_ticks(self, connection: FeedConnection) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            await connection.send_tick(self._freshness.make_tick(self._lease_clock()))

    def _take(self, page: Page) -> None:
        """In one step, in which nothing else happens."""
        known = self._freshness.position
        if self._freshness.apply(page):
            self._forget(known)

    def _backoff_s(self) -> float:
        exponent = min(self._failures - 1, 10)
        return min(BACKOFF_LEAST_S * 2.0**exponent, BACKOFF_MOST_S) * self._jitter()

    def _say_lost(self, feed: Feed, why: str) -> None:
        if self._is_lost is not True:
            self._is_lost = True
            self._log.warning("auth_feed_lost", target=feed.name, error=why)

    def _say_back(self, feed: Feed) -> None:
        self._failures = 0
        if self._is_lost is True:
            self._log.warning("auth_feed_back", target=feed.name)
        self._is_lost = False


def _hear(task: "asyncio.Task[None]") -> None:
    if not task.cancelled():
        task.exception()  # or asyncio would complain that nobody took it


def _why(following: "asyncio.Task[None]") -> str:
    error = None if following.cancelled() or not following.done() else following.exception()
    match error:
        case FeedUnsupported():
            return UNSUPPORTED
        case FeedRefused():
            return REFUSED
        case PathFailed(failure=failure):
            return failure.name
        case TimeoutError() | None:
            return Failure.TIMED_OUT.name
        case Misfit():
            return Failure.UNINTELLIGIBLE.name
        case _:  # a bug costs this connection, not the lease for ever
            return type(error).__name__
