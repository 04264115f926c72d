"""How long a revoked access is still believed: many clients, each asking every 5 ms.

The revocation is made by a process of its own, through Auth's store. Time counts from its return.
"""

import asyncio
import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager, nullcontext
from dataclasses import dataclass

from bench.jobs import RevocationJob, RevocationLoad
from bench.line_process import LineProcess, open_line_process
from bench.shape import Question
from catalogsvc.authz import AuthClient, AuthClientSettings, AuthUnavailable, Decision, Source

__all__ = ["measure"]

# 100 clients of one process ask 20,000 times a second then: more would measure the asking.
POLL_S = 0.005
# Not counted: every client has its connections by then.
WARM_UP = 2
READY_BOUND_S = 15.0
GRACE_S = 5.0
REVOKER_BOUND_S = 10.0

# Shared by all processes of a machine, unlike some other clocks.
clock = time.monotonic
OpenClient = Callable[[], AbstractAsyncContextManager[AuthClient]]


@dataclass(slots=True)
class Watcher:
    """One client's view of one revocation; times on the shared clock."""

    client: AuthClient
    question: Question
    last_yes_at: float = 0.0
    refused_at: float = math.inf

    async def ask(self) -> Decision:
        user_id, organization_id, local_id, _ = self.question
        return await self.client.validate_local(
            user_id=user_id, organization_id=organization_id, local_id=local_id
        )

    async def wait_until_cached(self) -> None:
        give_up_at = clock() + READY_BOUND_S
        failure: AuthUnavailable | None = None
        while clock() < give_up_at:
            try:
                decision = await self.ask()
            except AuthUnavailable as exc:
                failure = exc
            else:
                if decision and decision.source is Source.CACHE:
                    return
            await asyncio.sleep(POLL_S)
        raise TimeoutError(
            "the cache never said yes; does Auth answer, and tell its changes?"
        ) from (failure)

    async def wait_until_refused(self) -> None:
        while True:
            try:
                decision = await self.ask()
            except AuthUnavailable:
                decision = None
            now = clock()
            if decision:
                self.last_yes_at = now
            elif decision is not None:
                self.refused_at = now
                return
            await asyncio.sleep(POLL_S)


async def measure(
    open_client: OpenClient, settings: AuthClientSettings, job: RevocationJob
) -> RevocationLoad:
    refused_ms: list[float] = []
    last_yes_ms: list[float] = []
    warm_up = 0 if job.is_auth_stopped else WARM_UP
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(open_client()) for _ in range(job.clients)]
        revoker = await stack.enter_async_context(open_line_process("bench.revoker"))
        for nth in range(warm_up + job.revocations):
            question = job.shape.question(nth, 0)
            watchers = [Watcher(client=client, question=question) for client in clients]
            returned_at = await _revoke(revoker, watchers, settings, job)
            if nth < warm_up:
                continue
            refused_ms += [(watcher.refused_at - returned_at) * 1000 for watcher in watchers]
            last_yes_ms += [(watcher.last_yes_at - returned_at) * 1000 for watcher in watchers]
    return RevocationLoad(
        refused_ms=tuple(max(0.0, span) for span in refused_ms if span < math.inf),
        last_yes_ms=tuple(max(0.0, span) for span in last_yes_ms),
        missed=sum(span == math.inf for span in refused_ms),
        max_staleness_ms=settings.max_staleness_s * 1000,
    )


async def _revoke(
    revoker: LineProcess,
    watchers: list[Watcher],
    settings: AuthClientSettings,
    job: RevocationJob,
) -> float:
    """When the revocation had returned. All watchers have seen it, or had their time."""
    for watcher in watchers:
        await watcher.wait_until_cached()
    tasks = [asyncio.create_task(watcher.wait_until_refused()) for watcher in watchers]
    try:
        with _stopped(job.server_pid) if job.is_auth_stopped else nullcontext():
            returned_at = await _tell(revoker, "revoke", watchers[0].question)
            if job.is_auth_stopped:
                # No client may still say yes after this, so there is nothing more to see.
                await asyncio.sleep(settings.max_staleness_s + 0.2)
        await asyncio.wait(tasks, timeout=settings.max_staleness_s + GRACE_S)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for result in ended:
        if isinstance(result, Exception):
            raise result
    await _tell(revoker, "grant", watchers[0].question)
    return returned_at


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def _tell(revoker: LineProcess, verb: str, question: Question) -> float:
    line = f"{verb} {question[0]} {question[2]}"
    return float(await revoker.ask(line, timeout_s=REVOKER_BOUND_S))
