"""One outgoing call: whose timeout it was, and that nothing can hide a failure."""

import asyncio

import pytest

from catalogsvc.authz.call import run_call
from svckit.deadline import Deadline
from svckit.errors import DeadlineExceeded
from svckit.rpc import CallNext, Interceptor, RpcCall


def now() -> float:
    return asyncio.get_running_loop().time()


class Ask:
    def __init__(self, *, fails_with: Exception | None = None, is_silent: bool = False) -> None:
        self._fails_with = fails_with
        self._is_silent = is_silent

    async def __call__(self) -> str:
        if self._is_silent:
            await asyncio.Event().wait()
        if self._fails_with is not None:
            raise self._fails_with
        return "answer"


async def run(ask: Ask, *interceptors: Interceptor, timeout_s: float = 5.0) -> str:
    call = RpcCall(method="auth.AuthService/ValidateLocal", side="client")
    deadline = Deadline.after(timeout_s, now=now())
    return await run_call(call, ask, deadline=deadline, interceptors=interceptors, clock=now)


async def test_the_answer_comes_back_through_the_interceptors() -> None:
    steps: list[str] = []

    async def note(call: RpcCall, call_next: CallNext) -> None:
        steps.append("before")
        await call_next()
        steps.append("after")

    assert await run(Ask(), note) == "answer"
    assert steps == ["before", "after"]


async def test_interceptors_see_the_deadline_that_ended_the_call() -> None:
    seen: list[BaseException] = []

    async def note(call: RpcCall, call_next: CallNext) -> None:
        try:
            await call_next()
        except BaseException as exc:
            seen.append(exc)
            raise

    with pytest.raises(DeadlineExceeded):
        await run(Ask(is_silent=True), note, timeout_s=0.01)

    assert [type(exc) for exc in seen] == [DeadlineExceeded]


async def test_a_timeout_of_the_system_is_not_our_deadline() -> None:
    with pytest.raises(TimeoutError):
        await run(Ask(fails_with=TimeoutError(110, "Connection timed out")))


async def test_an_interceptor_that_hides_a_failure_makes_no_answer_of_it() -> None:
    async def swallow(call: RpcCall, call_next: CallNext) -> None:
        try:
            await call_next()
        except ConnectionRefusedError:
            return

    with pytest.raises(AssertionError):
        await run(Ask(fails_with=ConnectionRefusedError()), swallow)
