"""What a stranger can send, and that it costs nobody else anything."""

import pytest
from grpclib.const import Status

from generated.auth import AuthServiceStub, ValidateLocalRequest
from svckit.grpc_connection import MESSAGE_BYTES_MAX
from tests.integration.svckit.raw_client import message, raw_client
from tests.integration.svckit.serving import (
    FakeAuth,
    Served,
    channel_to,
    portero_codec,
    served,
    wait_until,
)

GOOD = message(
    portero_codec().encode(
        ValidateLocalRequest(user_id="u1", organization_id="o1", local_id="l1"),
        ValidateLocalRequest,
    )
)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(message(b"\xff\xff\xff"), Status.INVALID_ARGUMENT, id="no protobuf"),
        pytest.param(message(b"\x0a\x02\xff\xff"), Status.INVALID_ARGUMENT, id="no UTF-8"),
        pytest.param(message(b"", length=9), Status.INVALID_ARGUMENT, id="body missing"),
        pytest.param(message(b"\x0a", length=9), Status.INVALID_ARGUMENT, id="body cut short"),
        pytest.param(b"\0\0", Status.INVALID_ARGUMENT, id="prefix cut short"),
        pytest.param(b"", Status.INVALID_ARGUMENT, id="no message at all"),
        pytest.param(message(b"x", flag=1), Status.UNIMPLEMENTED, id="compressed"),
        pytest.param(
            message(b"x", length=MESSAGE_BYTES_MAX + 1), Status.RESOURCE_EXHAUSTED, id="too large"
        ),
        pytest.param(message(b"x", length=2**32 - 1), Status.RESOURCE_EXHAUSTED, id="4 GiB"),
    ],
)
async def test_bytes_that_are_no_question_are_refused_without_a_traceback(
    body: bytes, status: Status
) -> None:
    async with served() as serving, raw_client(serving.address) as raw:
        answer = await raw.answer(raw.start(body))

    assert answer.status == str(status.value)
    assert serving.seen.lines("internal_error") == []
    assert serving.seen.lines("rpc")[0]["code"] == status.name


async def test_the_largest_message_allowed_is_read() -> None:
    question = ValidateLocalRequest(user_id="u" * (MESSAGE_BYTES_MAX - 4))
    body = portero_codec().encode(question, ValidateLocalRequest)
    assert len(body) == MESSAGE_BYTES_MAX

    async with served() as serving, channel_to(serving) as channel:
        answer = await AuthServiceStub(channel).validate_local(question, timeout=5.0)

    assert answer.is_valid


async def test_an_unknown_method_is_unimplemented_and_makes_no_series() -> None:
    async with served() as serving, raw_client(serving.address) as raw:
        headers = [(":path", "/auth.AuthService/MadeUp123")]
        answer = await raw.answer(raw.start(GOOD, headers=headers))

    assert answer.status == str(Status.UNIMPLEMENTED.value)
    assert "MadeUp123" not in _exposed(serving)


@pytest.mark.parametrize("written", ["0n", "0S"])
async def test_a_deadline_that_is_over_on_arrival_is_exceeded(written: str) -> None:
    auth = FakeAuth()
    auth.answer = auth.blocked

    async with served(auth) as serving, raw_client(serving.address) as raw:
        answer = await raw.answer(raw.start(GOOD, headers=[("grpc-timeout", written)]))

    assert answer.status == str(Status.DEADLINE_EXCEEDED.value)


@pytest.mark.parametrize("written", ["99999999H", "9" * 300 + "H"])
async def test_a_deadline_in_the_far_future_is_as_good_as_any(written: str) -> None:
    async with served() as serving, raw_client(serving.address) as raw:
        answer = await raw.answer(raw.start(GOOD, headers=[("grpc-timeout", written)]))

    assert answer.status == str(Status.OK.value)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(("grpc-timeout", "soon"), id="timeout is no number"),
        pytest.param(("grpc-timeout", "9" * 400 + "m"), id="timeout overflows"),
        pytest.param(("grpc-timeout", "9" * 5000 + "S"), id="timeout has too many digits"),
        pytest.param(("x-bin", "x"), id="binary metadata is no base64"),
    ],
)
async def test_headers_that_make_no_sense_get_an_end_of_the_call(header: tuple[str, str]) -> None:
    async with served() as serving, raw_client(serving.address) as raw:
        answer = await raw.answer(raw.start(GOOD, headers=[header]))

    assert answer.reset is not None or answer.status == str(Status.UNKNOWN.value)


async def test_bytes_that_are_no_http2_close_their_own_connection_only() -> None:
    async with (
        served() as serving,
        channel_to(serving) as neighbour,
        raw_client(serving.address) as raw,
    ):
        raw.write(b"\0\0\1\xfa\0\0\0\0\0x")  # a frame of an unknown type
        raw.write(b"\xff" * 100)
        await raw.closed()
        answer = await AuthServiceStub(neighbour).validate_local(ValidateLocalRequest())

    assert answer.is_valid


async def test_calls_that_are_reset_at_once_leave_nothing_behind() -> None:
    async with served() as serving, raw_client(serving.address) as raw:
        for _ in range(300):
            raw.start_and_reset(GOOD + bytes(15_000))
            await raw.ping()
        answer = await raw.answer(raw.start(GOOD))

    # 300 such calls are more than the connection's window and its 100 streams hold.
    assert answer.status == str(Status.OK.value)


async def test_a_silent_client_is_answered_by_the_default_deadline() -> None:
    async with (
        served(default_timeout_s=0.05) as serving,
        raw_client(serving.address) as raw,
    ):
        answer = await raw.answer(raw.start(GOOD[:5], ends=False))
        await wait_until(lambda: bool(serving.seen.lines("rpc")))

    assert answer.status == str(Status.DEADLINE_EXCEEDED.value)


async def test_an_answer_reaches_a_client_that_has_not_ended_its_half() -> None:
    async with served() as serving, raw_client(serving.address) as raw:
        answer = await raw.answer(raw.start(GOOD, ends=False))

    assert (answer.status, answer.reset) == (str(Status.OK.value), None)


def _exposed(serving: Served) -> str:
    metrics = serving.seen.telemetry.metrics.registry.collect()
    return repr([family.samples for family in metrics])
