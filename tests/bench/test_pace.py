"""The steady checks of a bench lose none: who is not answered is counted."""

import asyncio
from itertools import count

import pytest

from bench.jobs import PacedJob
from bench.pace import UNANSWERED_MAX, ask_steadily
from bench.workloads import Tally

JOB = PacedJob(every_s=0.001, warm_up_s=0.01, duration_s=0.04)


async def no_answer_in_time(_: int) -> None:
    raise TimeoutError


async def test_the_warm_up_is_asked_and_its_latencies_are_left_out() -> None:
    asked: list[int] = []

    async def ask(question: int) -> None:
        asked.append(question)

    load = await ask_steadily(ask, count(), Tally(), JOB, failures=TimeoutError)

    assert asked == list(range(50))
    assert 40 <= load.answered < 50


async def test_a_failure_is_counted_under_its_name_and_the_next_is_asked() -> None:
    load = await ask_steadily(no_answer_in_time, count(), Tally(), JOB, failures=TimeoutError)

    assert (load.answered, load.failed) == (0, {"TimeoutError": 50})


async def test_an_answer_that_does_not_come_holds_up_no_other_question() -> None:
    asked: list[int] = []
    all_asked = asyncio.Event()

    async def ask(question: int) -> None:
        asked.append(question)
        if len(asked) == 50:
            all_asked.set()
        await all_asked.wait()

    load = await ask_steadily(ask, count(), Tally(), JOB, failures=TimeoutError)

    assert (load.answered, load.dropped) == (50, 0)


async def test_what_cannot_be_asked_for_want_of_answers_is_counted_as_dropped() -> None:
    job = PacedJob(every_s=0.0001, warm_up_s=0.0, duration_s=0.0001 * (UNANSWERED_MAX + 7))
    questions = count()
    released = asyncio.Event()

    async def ask(_: int) -> None:
        await released.wait()

    def release_after_the_last() -> int:
        question = next(questions)
        if question == UNANSWERED_MAX + 6:
            released.set()
        return question

    load = await ask_steadily(
        ask, iter(release_after_the_last, None), Tally(), job, failures=TimeoutError
    )

    assert (load.answered, load.dropped) == (UNANSWERED_MAX, 7)


async def test_any_other_error_ends_the_measurement() -> None:
    with pytest.raises(ExceptionGroup):
        await ask_steadily(no_answer_in_time, count(), Tally(), JOB, failures=LookupError)
