import asyncio
from collections.abc import Awaitable, Callable

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from svckit import errors
from svckit.interceptors.errors import trailers_of, translate_errors
from svckit.rpc import RpcCall
from svckit.status import TABLE

CALL = RpcCall(method="auth.AuthService/ValidateLocal", side="server")


class Panic(BaseException):
    """As extension modules raise it: not an Exception."""


class Bugs:
    def __init__(self) -> None:
        self.reported: list[BaseException] = []

    def report(self, error: BaseException) -> str:
        self.reported.append(error)
        return f"id{len(self.reported)}"


@pytest.mark.parametrize("kind", TABLE)
async def test_each_service_error_gets_the_status_of_the_table(
    kind: type[errors.ServiceError],
) -> None:
    bugs = Bugs()

    refusal = await _translated(kind("why"), bugs)

    assert isinstance(refusal, GRPCError)
    assert refusal.status is TABLE[kind].grpc
    assert bugs.reported == []


@pytest.mark.parametrize("bug", [ValueError("secret detail"), TimeoutError(), Panic("secret")])
async def test_a_bug_is_reported_once_and_shown_as_an_id(bug: BaseException) -> None:
    bugs = Bugs()

    refusal = await _translated(bug, bugs)

    assert isinstance(refusal, GRPCError)
    assert (refusal.status, refusal.message) == (Status.INTERNAL, "internal error id1")
    assert bugs.reported == [bug]
    assert refusal.__cause__ is bug


@pytest.mark.parametrize("end", [asyncio.CancelledError(), KeyboardInterrupt(), SystemExit(2)])
async def test_what_ends_a_task_passes(end: BaseException) -> None:
    bugs = Bugs()

    assert await _translated(end, bugs) is end
    assert bugs.reported == []


async def test_a_grpc_error_keeps_its_status_and_loses_odd_characters() -> None:
    refusal = await _translated(GRPCError(Status.ABORTED, "caf\u00e9\n"), Bugs())

    assert isinstance(refusal, GRPCError)
    assert (refusal.status, refusal.message) == (Status.ABORTED, "caf??")


async def test_success_stays_success() -> None:
    async def succeed() -> None:
        pass

    await translate_errors(Bugs().report)(CALL, succeed)


async def test_an_overload_says_when_to_come_back() -> None:
    refusal = await _translated(errors.Overloaded("busy", retry_after_s=0.25), Bugs())

    assert isinstance(refusal, GRPCError)
    assert trailers_of(refusal) == {"retry-pushback-ms": "250"}


async def test_without_a_time_to_come_back_there_is_no_trailer() -> None:
    refusal = await _translated(errors.Overloaded("busy"), Bugs())

    assert isinstance(refusal, GRPCError)
    assert trailers_of(refusal) == {}


async def _translated(error: BaseException, bugs: Bugs) -> BaseException:
    try:
        await translate_errors(bugs.report)(CALL, _raising(error))
    except BaseException as exc:  # noqa: BLE001 # the error is the result
        return exc
    raise AssertionError("nothing was raised")


def _raising(error: BaseException) -> Callable[[], Awaitable[None]]:
    async def fail() -> None:
        raise error

    return fail
