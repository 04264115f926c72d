"""Event loops on one virtual time: it moves only when no loop has anything left to do.

Each process of a simulation has a loop of its own, so that one can stand still while the others
go on. Nothing here waits: what takes ten seconds takes as long as its callbacks do.
"""

import asyncio
import heapq
import math
import selectors
from collections.abc import Callable, Coroutine, Mapping
from itertools import count
from typing import Any, TypeVar

__all__ = ["Timeline", "VirtualLoop", "WaitsForever"]

A = TypeVar("A")

# asyncio fires a timer up to the resolution of its clock too early, and who then finds that it is
# early waits once more. So that time passes meanwhile, as it does, we wake a little later than due.
LATE_S = 2e-9
# No honest turn has as many; one that has goes round in a circle at one moment.
STEPS_AT_ONCE_MAX = 100_000


class WaitsForever(Exception):  # the virtual end of what would hang
    """Nothing is left that could ever happen, or one moment has no end."""


class Timeline:
    """The one true time, in seconds, and the loops that live on it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._loops: list[VirtualLoop] = []
        self._deferred: list[Callable[[], None]] = []

    def defer(self, callback: Callable[[], None]) -> None:
        """Calls back when no loop is running, at this same moment."""
        self._deferred.append(callback)

    def add(self, loop: "VirtualLoop") -> None:
        self._loops.append(loop)

    def remove(self, loop: "VirtualLoop") -> None:
        self._loops.remove(loop)

    def run(self, loop: "VirtualLoop", work: Coroutine[Any, Any, A]) -> A:
        """Runs all loops until `work`, on `loop`, has ended."""
        task = loop.create_task(work)
        loop.wake_at(self.now)
        while not task.done():
            self.step()
        return task.result()

    def end(self, loop: "VirtualLoop") -> None:
        """Cancels what runs on `loop`, and lets it end at this moment."""
        loop.is_held = False
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_idle()

    def step(self) -> None:
        """Lets happen whatever is next."""
        while self._deferred:
            self._deferred.pop(0)()
        next_up = min(self._loops, key=_wakes_at, default=None)
        if next_up is None or _wakes_at(next_up) == math.inf:
            raise WaitsForever("no timer is set anywhere, and no message is under way")
        self.now = max(self.now, next_up.wakes_at)
        next_up.run_until_idle()


def _wakes_at(loop: "VirtualLoop") -> float:
    return math.inf if loop.is_held else loop.wakes_at


class VirtualLoop(asyncio.SelectorEventLoop):
    """`offset_s`: its clock against the true time, for no two machines count from one moment.

    While `is_held` nothing of it runs, and what arrives waits.
    """

    def __init__(self, timeline: Timeline, *, offset_s: float = 0.0) -> None:
        self.timeline = timeline
        self.offset_s = offset_s
        self.wakes_at = math.inf  # in true time
        self.is_held = False
        self.complaints: list[str] = []
        self._frozen_at: float | None = None
        self._frozen_turns = 0
        self._selector_of_ours = _NoWaiting(self)
        super().__init__(self._selector_of_ours)
        self.set_exception_handler(_note)
        timeline.add(self)

    def time(self) -> float:
        now = self.timeline.now if self._frozen_at is None else self._frozen_at
        return now + self.offset_s

    def freeze_clock(self, at: float, *, turns: int) -> None:
        """For its next turns its clock stands at that true time.

        uvloop reads its clock once a turn: a process that was stopped in the middle of one goes on
        with the time at which it was stopped.
        """
        self._frozen_at, self._frozen_turns = at, turns

    def wake_at(self, at: float) -> None:
        """Something new is to be done at that true time."""
        self.wakes_at = min(self.wakes_at, at)

    def deliver(self, at: float, callback: Callable[[], None]) -> None:
        """From another loop: something arrives at that true time, as on a socket."""
        self._selector_of_ours.expect(at, callback)
        self.wake_at(at)

    def run_until_idle(self) -> None:
        """Until it would wait for time to pass."""
        self.run_forever()

    def end_turn(self, *, is_last: bool) -> bool:
        """Whether its clock has moved by that."""
        if self._frozen_at is None:
            return False
        self._frozen_turns -= 1
        if self._frozen_turns >= 0 and not is_last:
            return False
        self._frozen_at = None
        return True

    def close(self) -> None:
        if not self.is_closed():
            self.timeline.remove(self)
        super().close()


class _NoWaiting(selectors.BaseSelector):
    """Where asyncio would wait for sockets or for time, it ends the loop's run instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._keys: dict[int, selectors.SelectorKey] = {}
        self._arrivals: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._steps = 0
        self._steps_at = 0.0

    def expect(self, at: float, callback: Callable[[], None]) -> None:
        heapq.heappush(self._arrivals, (at, next(self._numbers), callback))

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        loop, now = self._loop, self._loop.timeline.now
        has_work = timeout is not None and timeout <= 0
        while self._arrivals and self._arrivals[0][0] <= now:
            loop.call_soon(heapq.heappop(self._arrivals)[2])
            has_work = True
        # Before it would wait, every loop reads its clock.
        if loop.end_turn(is_last=not has_work) or has_work:
            self._count_step(now)
            return []
        timer_at = math.inf if timeout is None else now + timeout + LATE_S
        loop.wakes_at = min(timer_at, self._arrivals[0][0] if self._arrivals else math.inf)
        loop.stop()
        return []

    def _count_step(self, now: float) -> None:
        if self._steps_at != now:
            self._steps_at, self._steps = now, 0
        self._steps += 1
        if self._steps > STEPS_AT_ONCE_MAX:
            self._steps = 0
            raise WaitsForever("one moment has no end")

    # What a loop registers is the pipe that other threads wake it by; there are none.
    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        assert isinstance(fileobj, int)
        key = self._keys[fileobj] = selectors.SelectorKey(fileobj, fileobj, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


def _note(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    assert isinstance(loop, VirtualLoop)
    loop.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")
