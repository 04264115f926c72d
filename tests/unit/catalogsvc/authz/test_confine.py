"""Whose cancel it was, when a call was cancelled from both sides."""

import asyncio

import pytest
from grpclib.exceptions import StreamTerminatedError

from catalogsvc.authz.confine import confined


async def test_an_error_of_the_call_is_its_error() -> None:
    async def call() -> None:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        await confined(call())


async def test_a_call_that_cancelled_itself_did_not_cancel_us() -> None:
    async def call() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.Event().wait()

    with pytest.raises(StreamTerminatedError):
        await confined(call())

    me = asyncio.current_task()
    assert me is not None
    assert me.cancelling() == 0


async def test_our_cancel_is_ours() -> None:
    caller = asyncio.create_task(confined(asyncio.Event().wait()))
    await asyncio.sleep(0)

    caller.cancel()

    with pytest.raises(asyncio.CancelledError):
        await caller


async def test_our_cancel_is_not_lost_when_the_call_fails_at_that_moment() -> None:
    async def call() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as exc:
            raise StreamTerminatedError("lost") from exc

    caller = asyncio.create_task(confined(call()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    caller.cancel()

    with pytest.raises(asyncio.CancelledError):
        await caller
