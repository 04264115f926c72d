"""The loops that ask: closed ones with any number of callers, and one question after the other."""

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import psutil  # type: ignore[import-untyped] # it ships no types

from bench.jobs import Load, LoadJob
from bench.statistics import latency

__all__ = ["Tally", "run_load", "in_sequence", "Ask"]

T = TypeVar("T")
E = TypeVar("E", bound=Exception)
Ask = Callable[[T], Awaitable[None]]

LEAVE_BOUND_S = 10.0
clock = time.perf_counter


@dataclass(slots=True)
class Tally(Generic[T]):
    """What the callers count together. The asker itself counts `wrong` and `from_cache`."""

    failed: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    from_cache: int = 0
    spans_s: "array[float]" = field(default_factory=lambda: array("d"))

    def restart(self) -> None:
        """What was counted while warming up is forgotten, except that something went wrong."""
        self.from_cache = 0
        del self.spans_s[:]


async def run_load(
    ask: Ask[T],
    questions: Iterator[T],
    tally: Tally[T],
    job: LoadJob,
    *,
    failures: type[E],
    named: Callable[[E], str],
) -> Load:
    """`failures` are counted under their names; any other exception ends the measurement."""
    until = clock() + job.warm_up_s + job.duration_s
    callers = job.in_flight if job.form == "each" else 1
    weight = job.in_flight // callers
    tasks = {
        asyncio.create_task(
            _ask_on(ask, questions, tally, until=until, failures=failures, named=named)
        )
        for _ in range(callers)
    }
    await asyncio.sleep(job.warm_up_s)
    before = _Mark.now(job.server_pid)
    tally.restart()
    await asyncio.sleep(max(0.0, until - clock()))
    # Marked before the last answers are in: what comes after the end is not counted.
    after, answered, from_cache = _Mark.now(job.server_pid), len(tally.spans_s), tally.from_cache
    done, pending = await asyncio.wait(tasks, timeout=LEAVE_BOUND_S)
    await _cancel(pending)
    for task in done:
        task.result()
    return Load(
        answered=answered * weight,
        failed={name: count * weight for name, count in tally.failed.items()},
        wrong=tally.wrong,
        dropped=len(pending) * weight,
        from_cache=from_cache,
        elapsed_s=after.at - before.at,
        latency=latency(tally.spans_s[:answered]),
        client_cpu_s=after.client_cpu_s - before.client_cpu_s,
        server_cpu_s=after.server_cpu_s - before.server_cpu_s,
    )


async def in_sequence(ask: Ask[T], questions: Iterator[T]) -> list[float]:
    """How long each took, in seconds."""
    spans_s: list[float] = []
    for question in questions:
        started = clock()
        await ask(question)
        spans_s.append(clock() - started)
    return spans_s


async def _ask_on(
    ask: Ask[T],
    questions: Iterator[T],
    tally: Tally[T],
    *,
    until: float,
    failures: type[E],
    named: Callable[[E], str],
) -> None:
    spans_s = tally.spans_s
    started = clock()
    while started < until:
        try:
            await ask(next(questions))
        except failures as exc:
            tally.failed[named(exc)] += 1
            # A refusal may come at once: without a pause nobody else would have a turn.
            await asyncio.sleep(0)
            started = clock()
            continue
        ended = clock()
        spans_s.append(ended - started)
        started = ended


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    at: float
    client_cpu_s: float
    server_cpu_s: float

    @classmethod
    def now(cls, server_pid: int) -> "_Mark":
        used = psutil.Process(server_pid).cpu_times()
        return cls(
            at=clock(), client_cpu_s=time.process_time(), server_cpu_s=used.user + used.system
        )
