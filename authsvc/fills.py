"""Reads of what is not known, shared: while some are under way, the next gathers what is missing.

So a hundred callers who miss the same record, as all do after a change, cost two reads.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from authsvc.rows import Wanted
from svckit.errors import Overloaded, Unavailable

__all__ = ["Fills"]

READS_MAX = 4
IDS_MAX = 512
# Reads that have not begun; some 30 000 ids, and a second of the database's time.
WAITING_MAX = 64
RETRY_AFTER_S = 1.0
# Whoever waits has a bound of their own; this one is for the reads that nobody waits for any more.
READ_TIMEOUT_S = 2.0
CLOSE_TIMEOUT_S = 1.0


class _Read:
    __slots__ = ("done", "waiters", "wanted")

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.waiters = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Fills:
    """Owns its tasks until `close`."""

    def __init__(self, read: Callable[[Wanted], Awaitable[None]]) -> None:
        self._read = read
        # Each is waited for: one that everybody has left is not made.
        self._waiting: deque[_Read] = deque()
        self._under_way: dict[asyncio.Task[None], _Read] = {}

    async def fill(self, wanted: Wanted) -> None:
        """Returns when all of it was read, by a read that began after this call.

        Raises as `read`, Unavailable when it took too long, and Overloaded when too much waits
        already. Who leaves first harms no other.
        """
        read = self._join(wanted)
        read.waiters += 1
        try:
            await asyncio.shield(read.done)
        finally:
            read.waiters -= 1
            if not read.waiters and read in self._waiting:
                self._waiting.remove(read)

    def _join(self, wanted: Wanted) -> _Read:
        """The read that will have it. Raises Overloaded."""
        if self._waiting and self._waiting[-1].wanted.size_with(wanted) <= IDS_MAX:
            read = self._waiting[-1]
            read.wanted.add(wanted)
            return read
        if len(self._waiting) >= WAITING_MAX:
            raise Overloaded("too much is asked at once", retry_after_s=RETRY_AFTER_S)
        read = _Read(wanted)
        self._waiting.append(read)
        self._start()
        return read

    async def close(self) -> None:
        """Whoever still waits is cancelled."""
        for read in (*self._waiting, *self._under_way.values()):
            read.done.cancel()
        self._waiting.clear()
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=CLOSE_TIMEOUT_S)

    def _start(self) -> None:
        while self._waiting and len(self._under_way) < READS_MAX:
            read = self._waiting.popleft()
            task = asyncio.ensure_future(self._run(read))
            self._under_way[task] = read
            task.add_done_callback(self._ended)

    async def _run(self, read: _Read) -> None:
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await self._read(read.wanted)
        except TimeoutError:
            _tell(read.done, Unavailable("the database did not answer in time"))
        except Exception as exc:  # noqa: BLE001 # it is raised where it is waited for
            _tell(read.done, exc)
        else:
            _tell(read.done, None)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        del self._under_way[task]
        self._start()


def _tell(done: "asyncio.Future[None]", error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
        done.exception()  # all who wanted it may have left, and asyncio would complain
