"""Keeps grpclib's cancels to themselves.

grpclib wakes a call whose stream died by cancelling the task it runs in, once or twice, and hides
that behind an error. The task goes on counting those cancels, so an `asyncio.timeout` around the
call could not tell its own expiry from them. In a task of its own the call may count as it likes.
"""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from grpclib.exceptions import StreamTerminatedError

__all__ = ["confined"]

A = TypeVar("A")


async def confined(call: Coroutine[None, None, A]) -> A:
    """What `call` returns or raises. CancelledError means that our caller was cancelled, only."""
    me = asyncio.current_task()
    assert me is not None
    before = me.cancelling()
    try:
        return await asyncio.create_task(call, name="auth-call")
    except asyncio.CancelledError as exc:
        if me.cancelling() > before:
            raise
        raise StreamTerminatedError("grpclib gave the call up") from exc
    except Exception as exc:
        # Cancelled at the very moment the stream died: the cancel counts, the error is beside it.
        if me.cancelling() > before:
            raise asyncio.CancelledError from exc
        raise
