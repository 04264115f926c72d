"""One Watch stream: a position in the shared change log, and the ticks that wait for their read.

Nothing is queued for a client: one that does not read falls behind in the log, at worst beyond its
end, and then is told to forget everything.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from authsvc.change_log import ChangeLog
from authsvc.changes import ChangePage
from authsvc.follower import Follower
from svckit.errors import InvalidRequest
from svckit.owned_tasks import owned_tasks

__all__ = ["WatchStream", "WatchAsked", "WatchPage", "WatchReply"]

PAGE_ROWS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchAsked:
    """Only the first one's position counts."""

    tick: int
    database_id: str
    after_revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPage:
    """`tick` of 0: nothing is said about when."""

    tick: int
    page: ChangePage


WatchReply = WatchPage | InvalidRequest


@dataclass(frozen=True, slots=True)
class _Tick:
    """May be told once the follower's read number `due` is done."""

    tick: int
    due: int


class WatchStream:
    """`send` takes one reply at a time and raises nothing while the client stays."""

    def __init__(
        self,
        follower: Follower,
        log: ChangeLog,
        *,
        send: Callable[[WatchReply], Awaitable[None]],
    ) -> None:
        self._follower = follower
        self._log = log
        self._send = send
        self._newest_tick = 0
        self._ticks: deque[_Tick] = deque()
        self._database_id = ""
        self._revision = 0
        self._is_positioned = False
        self._is_wanted = asyncio.Event()
        self._is_over = False

    async def serve(self, asked: AsyncIterator[WatchAsked]) -> None:
        """Until the client asks no more, and has what was being sent to it then."""
        self._follower.subscribe(self._on_read)
        try:
            async with owned_tasks() as tasks:
                tasks.create_task(self._keep_telling(), name="watch")
                async for request in asked:
                    if problem := self._take(request):
                        await self._send(problem)
                # Not cancelled: a reply that is half sent would be followed by an OK.
                self._is_over = True
                self._is_wanted.set()
        finally:
            self._follower.unsubscribe(self._on_read)

    def _take(self, request: WatchAsked) -> InvalidRequest | None:
        if request.tick == 0:
            return InvalidRequest("tick is 0")
        if request.tick < self._newest_tick:
            return InvalidRequest("tick goes backwards")
        if self._newest_tick == 0:
            self._database_id, self._revision = request.database_id, request.after_revision
        self._newest_tick = request.tick
        due = self._follower.ask()
        # Of those that could be told together the newest is enough; so three are kept at most,
        # however long the client does not read.
        while self._ticks and self._ticks[-1].due == due:
            self._ticks.pop()
        while len(self._ticks) > 1 and self._ticks[1].due <= self._follower.done:
            self._ticks.popleft()
        self._ticks.append(_Tick(request.tick, due))
        return None

    def _on_read(self) -> None:
        if self._has_due_tick() or (self._is_positioned and self._is_behind()):
            self._is_wanted.set()

    def _has_due_tick(self) -> bool:
        return bool(self._ticks) and self._ticks[0].due <= self._follower.done

    def _is_behind(self) -> bool:
        here = (self._database_id, self._revision)
        return here != (self._log.database_id, self._log.revision)

    async def _keep_telling(self) -> None:
        while not self._is_over:
            # Before the first due tick the client may know more than we have read.
            if self._has_due_tick() or (self._is_positioned and self._is_behind()):
                await self._send(self._next_page())
            else:
                self._is_wanted.clear()
                await self._is_wanted.wait()

    def _next_page(self) -> WatchPage:
        page = self._log.since(self._database_id, self._revision, rows_max=PAGE_ROWS_MAX)
        self._is_positioned = True
        self._database_id, self._revision = page.database_id, page.revision
        # Only with the last part: a tick says that nothing is missing.
        return WatchPage(tick=0 if self._is_behind() else self._due_tick(), page=page)

    def _due_tick(self) -> int:
        told = 0
        while self._has_due_tick():
            told = self._ticks.popleft().tick
        return told
