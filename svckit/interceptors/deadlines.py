"""A call ends by its deadline."""

import asyncio

from svckit.deadline import Deadline
from svckit.errors import DeadlineExceeded
from svckit.rpc import CallNext, Interceptor, RpcCall

__all__ = ["keep_deadline"]


def keep_deadline(default_timeout_s: float) -> Interceptor:
    """Raises DeadlineExceeded. A stream without a deadline stays open as long as its client."""

    async def keep(call: RpcCall, call_next: CallNext, /) -> None:
        if call.deadline is None and not call.is_streaming:
            now = asyncio.get_running_loop().time()
            call.deadline = Deadline.after(default_timeout_s, now=now)
        ends_at = call.deadline.at if call.deadline else None
        try:
            async with asyncio.timeout_at(ends_at) as bound:
                await call_next()
        except TimeoutError as exc:
            # Only our own: a TimeoutError that a handler lets out is a bug like any other.
            if not bound.expired():
                raise
            raise DeadlineExceeded("the deadline passed before there was an answer") from exc

    return keep
