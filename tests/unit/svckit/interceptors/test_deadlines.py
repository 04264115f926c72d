import asyncio

import pytest

from svckit.deadline import Deadline
from svckit.errors import DeadlineExceeded
from svckit.interceptors.deadlines import keep_deadline
from svckit.rpc import RpcCall


async def test_a_call_without_a_deadline_gets_the_default_one() -> None:
    call = _call()
    before = asyncio.get_running_loop().time()

    await keep_deadline(5.0)(call, _nothing)

    assert call.deadline is not None
    assert call.deadline.at >= before + 5.0


async def test_the_callers_deadline_stands() -> None:
    deadline = Deadline.after(60.0, now=asyncio.get_running_loop().time())
    call = _call(deadline=deadline)

    await keep_deadline(5.0)(call, _nothing)

    assert call.deadline is deadline


async def test_a_stream_without_a_deadline_gets_none() -> None:
    call = _call(is_streaming=True)

    await keep_deadline(5.0)(call, _nothing)

    assert call.deadline is None


async def test_a_handler_is_cut_at_its_deadline() -> None:
    with pytest.raises(DeadlineExceeded):
        await keep_deadline(0.001)(_call(), _forever)


async def test_a_stream_is_cut_at_a_deadline_its_client_set() -> None:
    deadline = Deadline.after(0.001, now=asyncio.get_running_loop().time())

    with pytest.raises(DeadlineExceeded):
        await keep_deadline(5.0)(_call(deadline=deadline, is_streaming=True), _forever)


async def test_a_deadline_that_is_over_on_arrival_is_exceeded() -> None:
    deadline = Deadline(asyncio.get_running_loop().time() - 1.0)

    with pytest.raises(DeadlineExceeded):
        await keep_deadline(5.0)(_call(deadline=deadline), _forever)


async def test_a_timeout_of_the_handlers_own_is_not_the_deadline() -> None:
    async def time_out() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError) as raised:
        await keep_deadline(5.0)(_call(), time_out)

    assert type(raised.value) is TimeoutError


async def test_cancellation_passes() -> None:
    task = asyncio.ensure_future(keep_deadline(5.0)(_call(), _forever))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


def _call(*, deadline: Deadline | None = None, is_streaming: bool = False) -> RpcCall:
    return RpcCall(
        method="auth.AuthService/ValidateLocal",
        side="server",
        deadline=deadline,
        is_streaming=is_streaming,
    )


async def _nothing() -> None:
    pass


async def _forever() -> None:
    await asyncio.Event().wait()
