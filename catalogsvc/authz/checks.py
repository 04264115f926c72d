"""May these users enter these locals? Asked in batches, shared by all who ask the same.

A waiter may leave, by cancellation or by its deadline, and the others do not notice; when the last
has left, the question goes on: its answer fills the cache, and its outcome tells the breaker the
truth. Each question has `timeout_s` of its own; a waiter with more patience asks again.

This is the path of a hundred thousand questions a second: no task, timer or coroutine for each.
"""

import asyncio
from collections.abc import Sequence
from contextvars import copy_context
from typing import TypeVar

from catalogsvc.authz.batcher import Batcher, Moment
from catalogsvc.authz.call import Clock
from catalogsvc.authz.errors import AuthUnavailable, Closed
from catalogsvc.authz.freshness import FOREVER, TOO_OLD
from catalogsvc.authz.landing import Batches
from catalogsvc.authz.model import CheckedIds, Decision, Row
from catalogsvc.authz.waiters import Failed, Group, Outcome, Told, Waiter, tell
from svckit.deadline import Deadline

__all__ = ["Checks", "TOO_LATE"]

A = TypeVar("A")

TOO_LATE = "the deadline was over before Auth answered"
TOO_MANY = "too many questions to Auth are under way"


class Checks:
    """Owns its tasks until `close`. Needs a running event loop; `clock` is its."""

    def __init__(
        self,
        batcher: Batcher[Waiter],
        batches: Batches,
        *,
        clock: Clock,
        lease_clock: Clock,
        timeout_s: float,
    ) -> None:
        self._batcher = batcher
        self._batches = batches
        self._clock = clock
        self._lease_clock = lease_clock
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._ids = CheckedIds()
        self._tasks: set[asyncio.Task[None]] = set()
        # There is one until `_flush`, which is then due at the end of this turn of the loop.
        self._moment: Moment | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def __len__(self) -> int:
        return self._batcher.under_way

    def ask(self, row: Row, deadline: Deadline | None) -> "asyncio.Future[Told]":
        """Await it once; what comes when it has failed or is too old, `ask_again` knows.

        Raises InvalidRequest on a bad id, AuthUnavailable when it cannot be asked, Closed.
        """
        self._ids.check(row)
        moment = self._moment or self._begin()
        if deadline is not None and deadline.at <= moment.at:
            raise AuthUnavailable(TOO_LATE)
        future: asyncio.Future[Told] = self._loop.create_future()
        expires_at = self._batcher.board(row, future, moment)
        if expires_at is None:
            raise AuthUnavailable(TOO_MANY)
        if deadline is not None and deadline.at < expires_at:
            too_late = (Failed(AuthUnavailable(TOO_LATE)), FOREVER)
            timer = self._loop.call_later(deadline.at - moment.at, _give_up, future, too_late)
            future.add_done_callback(lambda _: timer.cancel())
        return future

    async def ask_again(self, row: Row, told: Told, deadline: Deadline) -> Decision:
        """While it failed for want of time, or came too late to be told, and we have more time.

        Raises what it failed with.
        """
        while not self.is_good(told):
            outcome, _ = told
            is_over = deadline.is_over(self._clock())
            if isinstance(outcome, Failed) and (is_over or not outcome.is_expired):
                raise outcome.error.with_traceback(None)
            if is_over:
                raise AuthUnavailable(TOO_OLD)
            told = await self.ask(row, deadline)
        decision, _ = told
        assert isinstance(decision, Decision), decision
        return decision

    def is_good(self, told: Told) -> bool:
        """Whether it may be told now: the loop may have been held up since it came."""
        outcome, good_until = told
        return isinstance(outcome, Decision) and (
            not outcome.is_valid or self._lease_clock() < good_until
        )

    async def answer_all(self, rows: Sequence[Row], deadline: Deadline) -> Group:
        """The outcome of each of these different rows, as far as it came before the deadline."""
        group = Group()
        while rows and not deadline.is_over(self._clock()):
            group.done = self._loop.create_future()
            self._board_all(rows, group)
            left_s = deadline.left_s(self._clock())
            timer = self._loop.call_later(left_s, _give_up, group.done, None)
            try:
                await group.done
            finally:
                timer.cancel()
            rows = [row for row in rows if _is_expired(group.outcomes.get(row))]
        return group

    async def close(self, *, timeout_s: float) -> None:
        """Cancels what is under way; its waiters get Closed."""
        self._is_closed = True
        # Or whoever asks in this very turn would board what never leaves.
        self._moment = None
        if self._timer is not None:
            self._timer.cancel()
        for flight in self._batcher.land_all():
            tell(flight, Failed(Closed()))
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    def _board_all(self, rows: Sequence[Row], group: Group) -> None:
        moment, board = self._moment or self._begin(), self._batcher.board
        # Before any of them: one that fails at once may be the last.
        group.left = len(rows)
        for row in rows:
            if board(row, group, moment) is None:
                group.take(row, Failed(AuthUnavailable(TOO_MANY)), FOREVER)

    def _begin(self) -> Moment:
        if self._is_closed:
            raise Closed
        now = self._clock()
        # Whoever asks in this turn of the loop goes along.
        self._moment = moment = Moment(now, now + self._timeout_s, copy_context())
        self._loop.call_soon(self._flush)
        if self._timer is None:
            # Otherwise it is set: for something older, which expires no later.
            self._timer = self._loop.call_later(self._timeout_s, self._expire)
        return moment

    def _flush(self) -> None:
        self._moment = None
        self._fill_lanes()

    def _fill_lanes(self) -> None:
        while not self._is_closed and (batch := self._batcher.take()):
            task = self._loop.create_task(
                self._batches.run(batch, self._fill_lanes),
                name="auth-batch",
                context=batch[0].moment.context,
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _expire(self) -> None:
        now = self._clock()
        for flight in self._batcher.expire(now):
            tell(flight, Failed(AuthUnavailable(TOO_LATE), is_expired=True))
        at = self._batcher.next_expiry()
        self._timer = None
        if at is not None:
            self._timer = self._loop.call_later(max(0.0, at - now), self._expire)


def _is_expired(outcome: Outcome | None) -> bool:
    return isinstance(outcome, Failed) and outcome.is_expired


def _give_up(future: "asyncio.Future[A]", outcome: A) -> None:
    if not future.done():
        future.set_result(outcome)
