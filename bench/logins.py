"""Whether logins delay checks: the same steady checks without any, and beside many of them.

The logins are made by a process of their own, which is up before anything is measured.
"""

import asyncio
from collections.abc import Callable

import msgspec

from bench.jobs import Load, LoadJob, LoginJob, LoginLoad, PacedLoad
from bench.line_process import LineProcess, open_line_process
from bench.login_client import LOGIN_BOUND_S
from bench.mix import questions_of
from bench.pace import ask_steadily
from bench.shape import Question
from bench.workloads import Ask, Tally
from catalogsvc.authz import AuthUnavailable

__all__ = ["measure"]

START_BOUND_S = 30.0
# Not counted: connections and Auth's threads exist by then.
FIRST_LOGINS_S = 0.2

NewAsk = Callable[[Tally[Question]], Ask[Question]]


async def measure(new_ask: NewAsk, job: LoginJob) -> LoginLoad:
    """One repeat: without logins, and at once with them."""
    async with open_line_process("bench.login_client") as people:
        await _log_in(people, job, warm_up_s=0.0, duration_s=FIRST_LOGINS_S)
        without = await _check(new_ask, job)
        async with asyncio.TaskGroup() as tasks:
            logins = tasks.create_task(
                _log_in(
                    people, job, warm_up_s=job.checks.warm_up_s, duration_s=job.checks.duration_s
                )
            )
            beside = await _check(new_ask, job)
    return LoginLoad(
        in_flight=job.in_flight, without=without, beside=beside, logins=logins.result()
    )


async def _check(new_ask: NewAsk, job: LoginJob) -> PacedLoad:
    tally: Tally[Question] = Tally()
    return await ask_steadily(
        new_ask(tally),
        questions_of("miss", job.shape),
        tally,
        job.checks,
        failures=AuthUnavailable,
    )


async def _log_in(
    people: LineProcess, job: LoginJob, *, warm_up_s: float, duration_s: float
) -> Load:
    told = LoadJob(
        target=job.login_target,
        server_pid=job.server_pid,
        shape=job.shape,
        mix="miss",
        form="each",
        in_flight=job.in_flight,
        warm_up_s=warm_up_s,
        duration_s=duration_s,
    )
    bound_s = START_BOUND_S + warm_up_s + duration_s + LOGIN_BOUND_S
    answer = await people.ask(msgspec.json.encode(told).decode(), timeout_s=bound_s)
    return msgspec.json.decode(answer, type=Load)
