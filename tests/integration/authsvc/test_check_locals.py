"""CheckLocals over a real socket, asked by grpcio: rows, refusals, failures, and what survives."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from authsvc.freshness import LEASE_S
from tests.fakes import FakeStore
from tests.integration.authsvc.access_client import (
    CheckCall,
    ServedAuth,
    grpcio_channel,
    served_auth,
    task_names,
)
from tests.integration.svckit.serving import wait_until

ROW = ("u1", "o1", "l1")
ALLOWED, UNKNOWN_USER, NOT_ASSIGNED = 1, 2, 9
INVALID_ARGUMENT, DEADLINE_EXCEEDED, UNAVAILABLE = 3, 4, 14
BOUND_S = 10.0


@pytest.fixture
def store() -> FakeStore:
    store = FakeStore()
    store.put_organization()
    store.put_local("l1")
    store.put_local("l2", name="Norte")
    store.put_user("u1", locals_={"l1"})
    return store


@pytest.fixture
async def auth(store: FakeStore) -> AsyncIterator[ServedAuth]:
    async with served_auth(store) as served:
        yield served


@pytest.fixture
async def call(auth: ServedAuth) -> AsyncIterator[CheckCall]:
    async with grpcio_channel(auth.address) as channel:
        yield CheckCall(channel)


async def test_rows_are_answered_in_their_order_with_the_revision(
    call: CheckCall, store: FakeStore
) -> None:
    answer = await call.ask(ROW, ("u1", "o1", "l2"), ("nobody", "o1", "l1"))

    assert list(answer.reasons) == [ALLOWED, NOT_ASSIGNED, UNKNOWN_USER]
    assert list(answer.local_names) == ["Centro", "", ""]
    assert (answer.revision, answer.database_id) == (store.revision, "d1")
    assert answer.age_ms <= LEASE_S * 1000


async def test_the_largest_question_is_answered(call: CheckCall) -> None:
    assert await call.reasons(*[ROW] * 512) == [ALLOWED] * 512


@pytest.mark.parametrize(
    ("rows", "fields", "message"),
    [
        ([], {}, "a question has 1 to 512 rows"),
        ([ROW] * 513, {}, "a question has 1 to 512 rows"),
        ([ROW], {"user_ids": ["a", "b"]}, "the columns are not equally long"),
        ([ROW], {"local_ids": []}, "the columns are not equally long"),
        ([ROW, ("u1", "", "l1")], {}, "organization_ids[1] is empty"),
        ([("u1", "o1", "x" * 129)], {}, "local_ids[0] is longer than 128 bytes"),
        ([("\x00", "o1", "l1")], {}, "user_ids[0] holds a control character"),
        ([ROW], {"request_id": 0}, "request_id is 0"),
    ],
)
async def test_a_malformed_question_is_refused_and_the_stream_goes_on(
    call: CheckCall, rows: list[tuple[str, str, str]], fields: dict[str, object], message: str
) -> None:
    answer = await call.ask(*rows, **fields)

    assert (answer.error_code, answer.error_message) == (INVALID_ARGUMENT, message)
    assert len(answer.reasons) == 0
    assert await call.reasons(ROW) == [ALLOWED]


async def test_a_request_id_that_is_unanswered_is_refused_and_the_first_is_answered(
    call: CheckCall, store: FakeStore
) -> None:
    store.access_gate.clear()
    await call.send(ROW, request_id=7)
    refused = await call.ask(ROW, request_id=7)
    store.access_gate.set()
    answered = await call.call.read()

    assert (refused.request_id, refused.error_code) == (7, INVALID_ARGUMENT)
    assert (answered.request_id, list(answered.reasons)) == (7, [ALLOWED])


async def test_a_question_that_waits_for_the_store_does_not_hold_up_those_that_need_not(
    call: CheckCall, store: FakeStore
) -> None:
    await call.reasons(ROW)
    store.access_gate.clear()
    cold = await call.send(("u2", "o1", "l1"))

    assert await call.reasons(ROW) == [ALLOWED]
    store.access_gate.set()
    assert (await call.call.read()).request_id == cold


async def test_a_failure_is_told_in_band_and_the_stream_goes_on(
    call: CheckCall, store: FakeStore
) -> None:
    store.is_down = True
    failed = await call.ask(("u2", "o1", "l1"))
    store.is_down = False

    assert (failed.error_code, failed.error_message) == (UNAVAILABLE, "the store is down")
    assert await call.reasons(ROW) == [ALLOWED]


async def test_a_question_has_a_deadline_of_its_own(call: CheckCall, store: FakeStore) -> None:
    store.access_gate.clear()

    late = await call.ask(ROW, timeout_ms=20)

    assert late.error_code == DEADLINE_EXCEEDED
    store.access_gate.set()
    assert await call.reasons(ROW) == [ALLOWED]


async def test_a_revoked_access_is_refused_as_soon_as_the_store_has_signalled(
    call: CheckCall, store: FakeStore
) -> None:
    assert await call.reasons(ROW) == [ALLOWED]
    store.put_user("u1")

    assert await call.reasons(ROW) == [NOT_ASSIGNED]


async def test_nothing_is_allowed_from_memory_once_a_store_that_hangs_let_the_lease_lapse(
    call: CheckCall, store: FakeStore, auth: ServedAuth
) -> None:
    assert await call.reasons(ROW) == [ALLOWED]
    store.feed_gate.clear()
    store.access_gate.clear()
    store.put_user("u1")

    async with asyncio.timeout(BOUND_S):
        while (answer := await call.ask(ROW, timeout_ms=50)).error_code == 0:
            assert list(answer.reasons) == [ALLOWED]
            assert answer.age_ms <= LEASE_S * 1000
    assert answer.error_code == DEADLINE_EXCEEDED
    store.access_gate.set()
    assert await call.reasons(ROW) == [NOT_ASSIGNED]


async def test_the_last_answers_come_after_the_client_has_asked_all(
    call: CheckCall, store: FakeStore
) -> None:
    store.access_gate.clear()
    await call.send(ROW)
    await call.call.done_writing()
    store.access_gate.set()

    assert list((await call.call.read()).reasons) == [ALLOWED]
    assert await call.call.read() is grpc.aio.EOF
    assert await call.call.code() is grpc.StatusCode.OK


async def test_bytes_that_are_no_message_end_their_stream_alone(
    call: CheckCall, auth: ServedAuth
) -> None:
    await call.reasons(ROW)
    async with grpcio_channel(auth.address) as channel:
        raw = channel.stream_stream("/access.v1.AccessService/CheckLocals")(timeout=BOUND_S)
        await raw.write(b"\xff\xff\xff")

        assert await raw.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert await call.reasons(ROW) == [ALLOWED]


async def test_a_client_that_leaves_in_the_middle_leaves_no_task_and_no_traceback(
    auth: ServedAuth, store: FakeStore
) -> None:
    async with grpcio_channel(auth.address) as channel:
        call = CheckCall(channel)
        await call.reasons(ROW)
        store.access_gate.clear()
        await call.send(("u2", "o1", "l1"))
        await wait_until(lambda: "check-locals" in task_names())
        call.call.cancel()

    await wait_until(lambda: "check-locals" not in task_names())
    assert auth.seen.lines("internal_error") == []


async def test_a_stream_is_counted_once_and_only_its_questions_are_measured(
    auth: ServedAuth, store: FakeStore
) -> None:
    async with grpcio_channel(auth.address) as channel:
        call = CheckCall(channel)
        await call.reasons(ROW)
        await call.reasons(ROW)
        await call.call.done_writing()
        assert await call.call.read() is grpc.aio.EOF

    labels = {"service": "access.v1", "method": "CheckLocals"}
    await wait_until(lambda: auth.seen.count("grpc_requests_total", **labels, status="OK") == 3)
    assert auth.seen.count("grpc_request_duration_seconds_count", **labels) == 2
    assert [line["log_level"] for line in auth.seen.lines("rpc")] == ["debug", "debug", "info"]
