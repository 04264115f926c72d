"""A task group that fails with the error itself: what goes on the wire goes by its type."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from svckit.cause import innermost

__all__ = ["owned_tasks"]


@asynccontextmanager
async def owned_tasks() -> AsyncIterator[asyncio.TaskGroup]:
    """Raises what the body or a task raised; of several errors the first."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        error = innermost(group)
        raise error from error.__cause__
