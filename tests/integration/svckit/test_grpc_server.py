"""What a client sees on the wire, over real sockets."""

import asyncio

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from generated.auth import (
    AuthServiceStub,
    ValidateLocalRequest,
    ValidateLocalResponse,
    VerifyTokenRequest,
)
from svckit import errors
from svckit.rpc import CallNext, RpcCall
from svckit.status import TABLE
from tests.integration.svckit.raw_client import message, raw_client
from tests.integration.svckit.serving import Answer, FakeAuth, channel_to, served, wait_until

QUESTION = ValidateLocalRequest(user_id="u1", organization_id="o1", local_id="l1")
LABELS = {"service": "auth", "method": "ValidateLocal"}


class Panic(BaseException):
    """As extension modules raise it: not an Exception."""


async def test_an_answer_arrives() -> None:
    async with served() as serving, channel_to(serving) as channel:
        answer = await AuthServiceStub(channel).validate_local(QUESTION, timeout=5.0)

    assert answer == ValidateLocalResponse(is_valid=True, local_name="l1")
    assert serving.seen.count("grpc_requests_total", **LABELS, status="OK") == 1


@pytest.mark.parametrize("kind", TABLE)
async def test_each_service_error_arrives_as_the_table_says(
    kind: type[errors.ServiceError],
) -> None:
    async with (
        served(FakeAuth(_raising(kind("why not")))) as serving,
        channel_to(serving) as channel,
    ):
        with pytest.raises(GRPCError) as raised:
            await AuthServiceStub(channel).validate_local(QUESTION, timeout=5.0)

    assert raised.value.status is TABLE[kind].grpc
    code = TABLE[kind].grpc.name
    assert serving.seen.count("grpc_errors_total", **LABELS, code=code) == 1


@pytest.mark.parametrize("bug", [ValueError("secret"), Panic("secret")])
async def test_a_bug_shows_the_client_an_id_and_nothing_else(bug: BaseException) -> None:
    async with served(FakeAuth(_raising(bug))) as serving, channel_to(serving) as channel:
        with pytest.raises(GRPCError) as raised:
            await AuthServiceStub(channel).validate_local(QUESTION, timeout=5.0)

    (line,) = serving.seen.lines("internal_error")
    assert raised.value.status is Status.INTERNAL
    assert raised.value.message == f"internal error {line['error_id']}"


async def test_a_message_with_any_characters_in_it_still_arrives() -> None:
    refusal = errors.InvalidRequest("\u00e9\n" + "x" * 100_000)

    async with served(FakeAuth(_raising(refusal))) as serving, channel_to(serving) as channel:
        with pytest.raises(GRPCError) as raised:
            await AuthServiceStub(channel).validate_local(QUESTION, timeout=5.0)

    assert raised.value.message == "??" + "x" * 1022


async def test_an_overload_tells_when_to_come_back_in_the_trailers() -> None:
    overload = errors.Overloaded("busy", retry_after_s=1.5)

    async with served(FakeAuth(_raising(overload))) as serving, raw_client(serving.address) as raw:
        answer = await raw.answer(raw.start(message(b"")))

    assert answer.status == str(Status.RESOURCE_EXHAUSTED.value)
    assert answer.headers["retry-pushback-ms"] == "1500"


async def test_a_handler_that_is_not_there_is_unimplemented() -> None:
    async with served() as serving, channel_to(serving) as channel:
        with pytest.raises(GRPCError) as raised:
            await AuthServiceStub(channel).verify_token(VerifyTokenRequest(token="t"), timeout=5.0)

    assert raised.value.status is Status.UNIMPLEMENTED


async def test_the_callers_deadline_reaches_the_server_and_cuts_the_handler() -> None:
    left: list[float] = []

    async def look(call: RpcCall, call_next: CallNext) -> None:
        assert call.deadline is not None
        left.append(call.deadline.left_s(asyncio.get_running_loop().time()))
        await call_next()

    auth = FakeAuth()
    auth.answer = auth.blocked
    async with served(auth, innermost=[look]) as serving, channel_to(serving) as channel:
        with pytest.raises((GRPCError, asyncio.TimeoutError)):
            await AuthServiceStub(channel).validate_local(QUESTION, timeout=0.2)
        await wait_until(lambda: bool(serving.seen.lines("rpc")))

    assert 0.0 < left[0] <= 0.2
    assert serving.seen.lines("rpc")[0]["code"] in {"DEADLINE_EXCEEDED", "CANCELLED"}


async def test_a_call_without_a_deadline_ends_at_the_default_one() -> None:
    auth = FakeAuth()
    auth.answer = auth.blocked

    async with served(auth, default_timeout_s=0.05) as serving, channel_to(serving) as channel:
        with pytest.raises(GRPCError) as raised:
            await AuthServiceStub(channel).validate_local(QUESTION)

    assert raised.value.status is Status.DEADLINE_EXCEEDED
    assert serving.seen.lines("rpc")[0]["code"] == "DEADLINE_EXCEEDED"


async def test_a_client_that_leaves_cancels_its_handler() -> None:
    auth = FakeAuth()
    auth.answer = auth.blocked

    async with served(auth) as serving, channel_to(serving) as channel:
        call = asyncio.ensure_future(AuthServiceStub(channel).validate_local(QUESTION, timeout=5.0))
        await auth.entered.wait()
        call.cancel()
        await wait_until(lambda: bool(serving.seen.lines("rpc")))

    assert serving.seen.lines("rpc")[0]["code"] == "CANCELLED"
    assert serving.seen.count("grpc_errors_total", **LABELS, code="CANCELLED") == 1
    assert serving.seen.lines("internal_error") == []


async def test_metadata_and_peer_reach_the_interceptors() -> None:
    seen: list[tuple[str, str]] = []

    async def look(call: RpcCall, call_next: CallNext) -> None:
        seen.append((call.metadata["x-key"], call.peer))
        await call_next()

    async with served(innermost=[look]) as serving, channel_to(serving) as channel:
        metadata: dict[str, str | bytes] = {"x-key": "k1", "x-bytes-bin": b"\xff"}
        await AuthServiceStub(channel).validate_local(QUESTION, timeout=5.0, metadata=metadata)

    assert seen == [("k1", "127.0.0.1")]


async def test_metadata_sent_several_times_is_joined_and_none_of_it_is_chosen() -> None:
    seen: list[str] = []

    async def look(call: RpcCall, call_next: CallNext, /) -> None:
        seen.append(call.metadata["x-key"])
        await call_next()

    async with served(innermost=[look]) as serving, channel_to(serving) as channel:
        metadata = [("x-key", "k1"), ("x-other", "o"), ("x-key", "k2")]
        await AuthServiceStub(channel).validate_local(QUESTION, timeout=5.0, metadata=metadata)

    assert seen == ["k1, k2"]


async def test_a_lost_connection_is_no_bug() -> None:
    auth = FakeAuth()
    auth.answer = auth.blocked

    async with served(auth) as serving:
        async with channel_to(serving) as channel:
            call = asyncio.ensure_future(
                AuthServiceStub(channel).validate_local(QUESTION, timeout=5.0)
            )
            await auth.entered.wait()
        with pytest.raises(StreamTerminatedError):
            await call
        await wait_until(lambda: bool(serving.seen.lines("rpc")))

    assert serving.seen.lines("rpc")[0]["code"] == "CANCELLED"
    assert serving.seen.lines("internal_error") == []


def _raising(error: BaseException) -> Answer:
    async def fail(_: ValidateLocalRequest) -> ValidateLocalResponse:
        raise error

    return fail
