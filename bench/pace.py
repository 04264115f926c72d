"""The open loop: a question every few milliseconds, whatever becomes of those before it."""

import asyncio
import time
from collections.abc import Iterator
from typing import TypeVar

from bench.jobs import PacedJob, PacedLoad
from bench.statistics import latency
from bench.workloads import Ask, Tally

__all__ = ["ask_steadily"]

T = TypeVar("T")

# More would measure how our own event loop gets along with them.
UNANSWERED_MAX = 256
clock = time.perf_counter


async def ask_steadily(
    ask: Ask[T],
    questions: Iterator[T],
    tally: Tally[T],
    job: PacedJob,
    *,
    failures: type[Exception],
) -> PacedLoad:
    """`failures` are counted under their types' names; any other exception ends the measurement.

    `ask` has a bound of its own. When we are late ourselves, what is due is asked at once.
    """
    warm_up = round(job.warm_up_s / job.every_s)
    due = warm_up + round(job.duration_s / job.every_s)
    dropped = 0
    unanswered: set[asyncio.Task[None]] = set()
    began_at = clock()
    async with asyncio.TaskGroup() as tasks:
        for nth in range(due):
            await asyncio.sleep(max(0.0, began_at + nth * job.every_s - clock()))
            if nth == warm_up:
                tally.restart()
            question = next(questions)
            if len(unanswered) >= UNANSWERED_MAX:
                dropped += 1
                continue
            task = tasks.create_task(_ask_one(ask, question, tally, failures=failures))
            unanswered.add(task)
            task.add_done_callback(unanswered.discard)
    return PacedLoad(
        answered=len(tally.spans_s),
        failed=dict(tally.failed),
        wrong=tally.wrong,
        dropped=dropped,
        latency=latency(tally.spans_s),
    )


async def _ask_one(ask: Ask[T], question: T, tally: Tally[T], *, failures: type[Exception]) -> None:
    asked_at = clock()
    try:
        await ask(question)
    except failures as exc:
        tally.failed[type(exc).__name__] += 1
    else:
        tally.spans_s.append(clock() - asked_at)
