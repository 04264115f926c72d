"""Equal questions that are under way at the same time are asked once.

A flight is a task of its own: a waiter may leave, by cancellation or by its deadline, and the
others do not notice. When the last has left, the flight goes on to its own deadline: its answer
fills the cache, and its outcome tells the breaker the truth. That deadline is its first caller's,
or `timeout_s` if that is sooner; a waiter with more patience then asks again.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from catalogsvc.authz.call import Clock
from catalogsvc.authz.errors import AuthUnavailable, Closed
from svckit.deadline import Deadline

__all__ = ["Flights"]

K = TypeVar("K", bound=Hashable)
A = TypeVar("A")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flight(Generic[A]):
    task: asyncio.Task[A]
    asked_at: float
    deadline: Deadline


class Flights(Generic[K, A]):
    """Owns its tasks until `close`. `ask` is what one flight does: (key, asked_at, deadline)."""

    __slots__ = (
        "_ask",
        "_clock",
        "_flights",
        "_flights_max",
        "_is_closed",
        "_joinable_s",
        "_tasks",
        "_timeout_s",
    )

    def __init__(
        self,
        ask: Callable[[K, float, Deadline], Coroutine[None, None, A]],
        *,
        clock: Clock,
        max_staleness_s: float,
        timeout_s: float,
        flights_max: int,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._joinable_s = max_staleness_s
        self._timeout_s = timeout_s
        self._flights_max = flights_max
        self._flights: dict[K, _Flight[A]] = {}
        self._tasks: set[asyncio.Task[A]] = set()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    async def answer(self, key: K, *, deadline: Deadline) -> A:
        """The flight's answer or error. Raises AuthUnavailable at `deadline`, Closed after close.

        A new flight runs in its first caller's context, so its spans are children of that caller's.
        """
        while True:
            if self._is_closed:
                raise Closed
            now = self._clock()
            if deadline.is_over(now):
                raise AuthUnavailable("the deadline was over before Auth answered")
            flight = self._joinable(key, now) or self._start(key, now, deadline)
            # Unlike awaiting the task, this neither cancels it nor is cancelled by it.
            await asyncio.wait((flight.task,), timeout=deadline.left_s(now))
            if flight.task.done() and not self._left_us_behind(flight, deadline):
                return self._landed(flight)

    async def close(self, *, timeout_s: float) -> None:
        """Cancels what is under way; its waiters get Closed."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    def _joinable(self, key: K, now: float) -> _Flight[A] | None:
        flight = self._flights.get(key)
        # Its answer may have been computed as early as `asked_at`. Joining is a kind of cache hit,
        # and must not be staler than one.
        if flight is None or now - flight.asked_at > self._joinable_s:
            return None
        return flight

    def _start(self, key: K, now: float, deadline: Deadline) -> _Flight[A]:
        if len(self._tasks) >= self._flights_max:
            raise AuthUnavailable("too many questions to Auth are under way")
        bound = deadline.within(self._timeout_s, now=now)
        task = asyncio.create_task(self._ask(key, now, bound), name="auth-flight")
        task.add_done_callback(lambda landed: self._forget(key, landed))
        self._tasks.add(task)
        flight = _Flight(task=task, asked_at=now, deadline=bound)
        self._flights[key] = flight
        return flight

    def _forget(self, key: K, task: asyncio.Task[A]) -> None:
        self._tasks.discard(task)
        # A younger flight may have taken the place of one that was too old to join.
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # or asyncio would complain when every waiter has left

    def _left_us_behind(self, flight: _Flight[A], deadline: Deadline) -> bool:
        """Whether it failed for lack of time, and we have more."""
        if flight.task.cancelled() or type(flight.task.exception()) is not AuthUnavailable:
            return False
        now = self._clock()
        if deadline.is_over(now):
            return False
        # A hurried caller's attempts are shorter, so its flight may fail long before its deadline.
        span_s = flight.deadline.left_s(flight.asked_at)
        ours_s = deadline.within(self._timeout_s, now=now).left_s(now)
        return flight.deadline.is_over(now) or ours_s > span_s

    def _landed(self, flight: _Flight[A]) -> A:
        if flight.task.cancelled():
            raise Closed
        return flight.task.result()
