"""Work that is done again and again beside the serving, and must never end it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from svckit.errors import ServiceError

__all__ = ["attempt", "every"]


@asynccontextmanager
async def every(
    period_s: float,
    work: Callable[[], Awaitable[object]],
    *,
    name: str,
    timeout_s: float,
    report_bug: Callable[[BaseException], object],
) -> AsyncIterator[None]:
    """Does `work` at once and `period_s` after each end, as task `name`, while the body runs.

    What the work is refused, as by a store that is down, waits for the next time; anything else
    that it raises is reported too.
    """

    async def repeat() -> None:
        while True:
            await attempt(work, timeout_s=timeout_s, report_bug=report_bug)
            await asyncio.sleep(period_s)

    async with asyncio.TaskGroup() as tasks:
        repeating = tasks.create_task(repeat(), name=name)
        try:
            yield
        finally:
            repeating.cancel()


async def attempt(
    work: Callable[[], Awaitable[object]],
    *,
    timeout_s: float,
    report_bug: Callable[[BaseException], object],
) -> bool:
    """Whether it is worth another try: it took too long, or was refused. A bug is reported."""
    try:
        async with asyncio.timeout(timeout_s):
            await work()
    except (ServiceError, TimeoutError):
        return True
    except Exception as exc:  # noqa: BLE001 # a bug in housekeeping must not end the whole service
        report_bug(exc)
    return False
