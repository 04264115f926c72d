"""One outgoing call, on whatever wire: inside its interceptors, and inside its deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from svckit.deadline import Deadline
from svckit.errors import DeadlineExceeded
from svckit.rpc import Interceptor, RpcCall, run_intercepted

__all__ = ["Clock", "run_call"]

Clock = Callable[[], float]
A = TypeVar("A")


async def run_call(
    call: RpcCall,
    ask: Callable[[], Awaitable[A]],
    *,
    deadline: Deadline,
    interceptors: Sequence[Interceptor],
    clock: Clock,
) -> A:
    """What `ask` returns. Raises DeadlineExceeded at `deadline`, else whatever `ask` raises."""
    answers: list[A] = []

    async def innermost() -> None:
        try:
            async with asyncio.timeout(deadline.left_s(clock())) as bound:
                answers.append(await ask())
        except TimeoutError as exc:
            # The system has timeouts of its own (ETIMEDOUT), which say something else.
            if not bound.expired():
                raise
            raise DeadlineExceeded("Auth did not answer in time") from exc

    await run_intercepted(interceptors, call, innermost)
    assert answers, "an interceptor hid a failure"
    return answers[-1]
