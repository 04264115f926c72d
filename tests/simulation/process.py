"""A process of the simulation: a loop, two clocks, and what can be done to it from outside.

Modelled: SIGSTOP between two turns of its loop (nothing of it runs, what is sent to it waits, its
clocks have moved on when it goes on), the loop's clock that stands for some turns after that, as
uvloop's does; a machine that sleeps (the loop's clock stands, the lease's goes on); a crash.
Not modelled: being stopped between two statements that nothing awaits between, and clocks that
run faster or slower than others.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from tests.simulation.virtual_loop import Timeline, VirtualLoop

__all__ = ["Process", "WALL_AT_ZERO"]

WALL_AT_ZERO = 1_800_000_000.0


class Process:
    """`name` is where messages to it go; a restarted one has the name of the one before."""

    def __init__(
        self, name: str, timeline: Timeline, *, offset_s: float = 0.0, lease_offset_s: float = 0.0
    ) -> None:
        self.name = name
        self.timeline = timeline
        self.loop = VirtualLoop(timeline, offset_s=offset_s)
        self.is_alive = True
        # On the loop's clock: what was due before could not be done before.
        self.resumed_at = float("-inf")
        self._lease_offset_s = lease_offset_s
        self._stopped_at = 0.0
        self._tasks: dict[asyncio.Task[Any], None] = {}  # in their order

    @property
    def is_stopped(self) -> bool:
        return self.loop.is_held

    def lease_clock(self) -> float:
        return self.timeline.now + self._lease_offset_s

    def wall_clock(self) -> float:
        return self.timeline.now + WALL_AT_ZERO

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs it here, from now on; callable from outside."""
        task = self.loop.create_task(work)
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        self.loop.wake_at(self.timeline.now)
        return task

    def stop(self) -> None:
        self.loop.is_held = True
        self._stopped_at = self.timeline.now

    def resume(self, *, frozen_turns: int = 0, has_slept: bool = False) -> None:
        loop, now = self.loop, self.timeline.now
        loop.is_held = False
        if has_slept:
            loop.offset_s -= now - self._stopped_at
        elif frozen_turns:
            loop.freeze_clock(self._stopped_at, turns=frozen_turns)
        self.resumed_at = now + loop.offset_s
        loop.wake_at(now)

    def end(self) -> list[str]:
        """Cancels what was spawned here; what then still runs is a leak, and returned as such."""
        self.is_alive = False
        self.loop.is_held = False
        for task in self._tasks:
            task.cancel()
        self.loop.run_until_idle()
        left = [f"a task outlived its owner: {task!r}" for task in asyncio.all_tasks(self.loop)]
        self.timeline.end(self.loop)
        self.loop.close()
        return [f"{self.name}: {what}" for what in (*left, *self.loop.complaints)]
