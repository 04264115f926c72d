"""What a hit costs: the client's cache against a plain dict behind an `async def`."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from bench.jobs import HitJob, HitLoad
from bench.mix import hot_questions
from bench.shape import Question
from bench.statistics import Latency, latency
from catalogsvc.authz import AuthClient, Decision, Source

__all__ = ["measure"]

Validate: TypeAlias = Callable[..., Awaitable[Decision]]
TOGETHER = 100
WARM_BOUND_S = 10.0
clock = time.perf_counter


class PlainDict:
    """The least that an awaited lookup can cost: no lease, no limit, never out of date."""

    def __init__(self) -> None:
        self._decisions: dict[tuple[str, str, str], Decision] = {}

    async def fill(self, client: AuthClient, questions: list[Question]) -> None:
        for user_id, organization_id, local_id, _ in questions:
            self._decisions[user_id, organization_id, local_id] = await client.validate_local(
                user_id=user_id, organization_id=organization_id, local_id=local_id
            )

    async def validate_local(
        self, *, user_id: str, organization_id: str, local_id: str
    ) -> Decision:
        return self._decisions[user_id, organization_id, local_id]


async def measure(client: AuthClient, job: HitJob) -> list[HitLoad]:
    questions = hot_questions(job.shape)[:TOGETHER]
    plain = PlainDict()
    await plain.fill(client, questions)
    loads = []
    for callers in job.callers:
        plain_dict = await _time_calls(plain.validate_local, questions, callers, job.hits)
        await _warm(client, questions)
        missed_before = client.snapshot().cache_misses
        portero = await _time_calls(client.validate_local, questions, callers, job.hits)
        missed = client.snapshot().cache_misses - missed_before
        loads.append(
            HitLoad(callers=callers, portero=portero, plain_dict=plain_dict, missed=missed)
        )
    return loads


async def _time_calls(
    validate: Validate, questions: list[Question], callers: int, hits: int
) -> Latency:
    """A hit does not suspend, so callers make their hundred in turn."""
    spans_s: list[float] = []

    async def call(rounds: int) -> None:
        for _ in range(rounds):
            started = clock()
            for user_id, organization_id, local_id, _ in questions:
                await validate(user_id=user_id, organization_id=organization_id, local_id=local_id)
            spans_s.append((clock() - started) / len(questions))
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(call(max(1, hits // callers // len(questions))))
    return latency(spans_s)


async def _warm(client: AuthClient, questions: list[Question]) -> None:
    """Until the cache answers all of them; it cannot before its feed is there."""
    give_up_at = clock() + WARM_BOUND_S
    while clock() < give_up_at:
        sources = {
            (
                await client.validate_local(
                    user_id=user_id, organization_id=organization_id, local_id=local_id
                )
            ).source
            for user_id, organization_id, local_id, _ in questions
        }
        if sources == {Source.CACHE}:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("the cache never answered all; does Auth tell its changes?")
