"""Follows the database: reads its changes as they happen, and so keeps the lease on it.

One task reads: at once when the store signals a change, within 20 ms when a client asks, and every
second in any case. While the store is down it goes on trying; the lease lapses by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from authsvc.knowledge import Knowledge
from authsvc.store import Store
from svckit.errors import ServiceError

__all__ = ["Follower", "follow"]

POLL_S = 1.0
# Reads that clients ask for are at least this far apart, however many ask.
PACE_S = 0.02
READ_TIMEOUT_S = 1.0
RETRY_FIRST_S = 0.05
RETRY_MAX_S = 1.0


class Follower:
    """`follow` makes it and runs it.

    Reads are numbered in their order; `done` is the newest that brought an answer. Who has asked
    for read n knows all that was committed before they asked once `done` is n or more.
    """

    def __init__(
        self,
        store: Store,
        knowledge: Knowledge,
        *,
        clock: Callable[[], float],
        report_bug: Callable[[BaseException], object],
    ) -> None:
        self._store = store
        self._knowledge = knowledge
        self._clock = clock
        self._report_bug = report_bug
        self._started = 0
        self.done = 0
        self._listeners: set[Callable[[], None]] = set()
        self._is_asked = asyncio.Event()
        self._is_signalled = asyncio.Event()

    def ask(self) -> int:
        """The number of a read that has not started yet, and soon will."""
        self._is_asked.set()
        return self._started + 1

    def subscribe(self, listener: Callable[[], None]) -> None:
        """`listener` is called after each read that brought an answer; it must not raise."""
        self._listeners.add(listener)

    def unsubscribe(self, listener: Callable[[], None]) -> None:
        self._listeners.discard(listener)

    def on_change(self) -> None:
        """Something may have been committed."""
        self._is_signalled.set()
        self._is_asked.set()

    async def run(self) -> None:
        failures = 0
        while True:
            self._is_asked.clear()
            self._is_signalled.clear()
            read_at = asyncio.get_running_loop().time()
            if await self._read():
                failures = 0
                await self._wait_until_wanted(read_at)
            else:
                await asyncio.sleep(min(RETRY_MAX_S, RETRY_FIRST_S * 2**failures))
                failures = min(failures + 1, 10)

    async def _read(self) -> bool:
        self._started += 1
        started_at, asked_at = self._clock(), self._knowledge.freshness.position()
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                page = await self._store.read_changes(
                    database_id=asked_at.database_id, after=asked_at.revision
                )
        except (ServiceError, TimeoutError):
            return False
        except Exception as exc:  # noqa: BLE001 # a bug in here must not end the whole of Auth
            self._report_bug(exc)
            return False
        if not self._knowledge.learn(page, asked_at=asked_at, read_started_at=started_at):
            return False
        self.done = self._started
        for listener in tuple(self._listeners):
            listener()
        return True

    async def _wait_until_wanted(self, read_at: float) -> None:
        now = asyncio.get_running_loop().time()
        if await _is_set_within(self._is_asked, read_at + POLL_S - now):
            now = asyncio.get_running_loop().time()
            await _is_set_within(self._is_signalled, read_at + PACE_S - now)


@asynccontextmanager
async def follow(
    store: Store,
    knowledge: Knowledge,
    *,
    clock: Callable[[], float],
    report_bug: Callable[[BaseException], object],
) -> AsyncIterator[Follower]:
    """`clock` is the lease's. Nothing is known yet when the body begins, but soon."""
    follower = Follower(store, knowledge, clock=clock, report_bug=report_bug)
    async with store.signals(follower.on_change), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(follower.run(), name="database-follower")
        try:
            yield follower
        finally:
            running.cancel()


async def _is_set_within(event: asyncio.Event, timeout_s: float) -> bool:
    if timeout_s <= 0 or event.is_set():
        return event.is_set()
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
    return event.is_set()
