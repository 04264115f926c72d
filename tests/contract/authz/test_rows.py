"""Batches of rows on pipelined streams: over real sockets, against servers that keep the contract
and servers that do not.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from catalogsvc.authz.answers import REASONS
from catalogsvc.authz.errors import (
    AuthProtocolError,
    AuthUnavailable,
    CredentialRefused,
    InvalidRequest,
)
from catalogsvc.authz.grpc_transport import GrpcTransport
from catalogsvc.authz.model import Reason
from catalogsvc.authz.question_stream import QUESTIONS_MAX
from catalogsvc.authz.transport import AsOf, Checked, Failure, PathFailed
from generated.access import v1 as access
from svckit.address import Address
from svckit.rpc import CallNext, RpcCall
from tests.contract.authz.fake_auth import AuthService, FakeAuth, Said, serve_grpc
from tests.contract.authz.scripted import Questions, ScriptedServer, answer_to, serve_script
from tests.contract.authz.wires import QUERY, ROW, open_grpc, row, soon
from tests.proxy import open_proxy


@asynccontextmanager
async def opened(target: str, *, channels: int = 1) -> AsyncIterator[GrpcTransport]:
    """No task of it is left behind."""
    before = asyncio.all_tasks()
    transport = open_grpc(target, channels=channels)
    try:
        yield transport
    finally:
        await transport.close()
    own = {task for task in asyncio.all_tasks() - before if task.get_name().startswith("auth-")}
    assert own == set()


async def check(transport: GrpcTransport, number: int = 1, *, timeout_s: float = 5.0) -> str:
    """The name of the local in the answer about one row."""
    checked = await transport.check_locals([row(number)], deadline=soon(timeout_s))
    (name,) = checked.local_names
    return name


async def fails(question: Awaitable[object]) -> Failure:
    with pytest.raises(PathFailed) as caught:
        await question
    return caught.value.failure


async def answer_all(stream: Questions) -> None:
    async for request in stream:
        await stream.send_message(answer_to(request))


def test_the_numbers_of_the_reasons_are_the_contracts() -> None:
    named = {number: reason.name for number, reason in REASONS.items()}

    assert named == {int(each): name for name, each in access.Reason.__members__.items() if each}


async def test_many_questions_share_one_stream() -> None:
    script = ScriptedServer(check=answer_all)
    async with serve_script(script) as target, opened(target) as transport:
        names = await asyncio.gather(*(check(transport, number) for number in range(50)))

    assert names == [f"u{number}" for number in range(50)]
    assert script.streams == 1


async def test_each_channel_has_its_stream() -> None:
    script = ScriptedServer(check=answer_all)
    async with serve_script(script) as target, opened(target, channels=3) as transport:
        await asyncio.gather(*(check(transport, number) for number in range(9)))

    assert script.streams == 3


async def test_a_question_goes_where_least_are_waiting() -> None:
    begun, leave = asyncio.Event(), asyncio.Event()

    async def stall_the_first(stream: Questions) -> None:
        async for request in stream:
            if request.user_ids == ["u0"]:
                begun.set()
                await leave.wait()
            await stream.send_message(answer_to(request))

    async with (
        serve_script(ScriptedServer(check=stall_the_first)) as target,
        opened(target, channels=2) as transport,
    ):
        stalled = asyncio.create_task(check(transport, 0))
        await asyncio.wait_for(begun.wait(), timeout=5)
        names = [await check(transport, number) for number in range(1, 6)]
        leave.set()

        assert names == [f"u{number}" for number in range(1, 6)]
        assert await stalled == "u0"


@pytest.mark.parametrize(
    "frame",
    [
        b"\x01\x00\x00\x00\x00",
        b"\x00\xff\xff\xff\xff",
        b"\x00\x00\x00\x00\x03\xff\xff\xff",
        b"\x00\x00\x00\x00\x09\x08",
        b"\x00\x00",
    ],
)
async def test_bytes_that_are_no_answer_break_the_contract(frame: bytes) -> None:
    async def babble(stream: Questions) -> None:
        await stream.recv_message()
        await stream.send_initial_metadata()
        await stream._stream.send_data(frame)

    async with serve_script(ScriptedServer(check=babble)) as target, opened(target) as transport:
        assert await fails(check(transport)) is Failure.UNINTELLIGIBLE


async def test_a_thousand_questions_at_once_are_answered() -> None:
    async with (
        serve_script(ScriptedServer(check=answer_all)) as target,
        opened(target, channels=2) as transport,
    ):
        names = await asyncio.gather(
            *(check(transport, number, timeout_s=30.0) for number in range(1000))
        )

    assert names == [f"u{number}" for number in range(1000)]


async def test_answers_out_of_order_find_their_questions() -> None:
    async def answer_backwards(stream: Questions) -> None:
        requests = [request for _ in range(5) if (request := await stream.recv_message())]
        for request in reversed(requests):
            await stream.send_message(answer_to(request))

    async with (
        serve_script(ScriptedServer(check=answer_backwards)) as target,
        opened(target) as transport,
    ):
        names = await asyncio.gather(*(check(transport, number) for number in range(5)))

    assert names == [f"u{number}" for number in range(5)]


async def test_an_answer_with_an_id_that_was_never_asked_is_dropped() -> None:
    async def answer_strangers(stream: Questions) -> None:
        async for request in stream:
            for stranger in (0, request.request_id + 1, 2**64 - 1):
                wrong = answer_to(request, request_id=stranger, local_names=["wrong"])
                await stream.send_message(wrong)
            await stream.send_message(answer_to(request))
            await stream.send_message(answer_to(request, local_names=["twice"]))

    async with (
        serve_script(ScriptedServer(check=answer_strangers)) as target,
        opened(target) as transport,
    ):
        assert await check(transport, 1) == "u1"
        assert await check(transport, 2) == "u2"


async def test_a_late_answer_is_dropped_and_a_new_stream_takes_the_next_question() -> None:
    leave = asyncio.Event()

    async def answer_late(stream: Questions) -> None:
        async for request in stream:
            if request.user_ids == ["u1"]:
                await leave.wait()
            await stream.send_message(answer_to(request))

    script = ScriptedServer(check=answer_late)
    async with serve_script(script) as target, opened(target) as transport:
        assert await fails(check(transport, 1, timeout_s=0.05)) is Failure.TIMED_OUT
        leave.set()
        assert await check(transport, 2) == "u2"

    assert script.streams == 2


async def test_a_timeout_lets_the_others_on_its_stream_finish() -> None:
    leave = asyncio.Event()

    async def answer_one_late(stream: Questions) -> None:
        late = await stream.recv_message()
        assert late is not None
        await stream.recv_message()
        await leave.wait()
        await stream.send_message(answer_to(late))
        await stream.recv_message()

    async with (
        serve_script(ScriptedServer(check=answer_one_late)) as target,
        opened(target) as transport,
    ):
        patient = asyncio.create_task(check(transport, 1))
        await asyncio.sleep(0)
        assert await fails(check(transport, 2, timeout_s=0.05)) is Failure.TIMED_OUT
        leave.set()
        assert await patient == "u1"


async def test_who_is_cancelled_harms_no_other() -> None:
    begun, leave = asyncio.Event(), asyncio.Event()

    async def answer_when_let(stream: Questions) -> None:
        requests = [request for _ in range(3) if (request := await stream.recv_message())]
        begun.set()
        await leave.wait()
        for request in requests:
            await stream.send_message(answer_to(request))
        await answer_all(stream)

    script = ScriptedServer(check=answer_when_let)
    async with serve_script(script) as target, opened(target) as transport:
        calls = [asyncio.create_task(check(transport, number)) for number in range(3)]
        await asyncio.wait_for(begun.wait(), timeout=5)
        calls[1].cancel()
        await asyncio.wait({calls[1]})
        leave.set()

        assert calls[1].cancelled()
        assert list(await asyncio.gather(calls[0], calls[2])) == ["u0", "u2"]
        assert await check(transport, 4) == "u4"

    assert script.streams == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"reasons": []},
        {"reasons": [1, 1]},
        {"reasons": [1, 1], "local_names": ["Centro", "Norte"]},
        {"reasons": [0]},
        {"reasons": [0], "local_names": [""]},
        {"local_names": []},
        {"local_names": ["Centro", "Norte"]},
        {"reasons": [2], "local_names": ["Centro"]},
        {"reasons": [99], "local_names": ["Centro"]},
        {"reasons": [-1], "local_names": ["Centro"]},
        {"revision": 0},
        {"database_id": ""},
    ],
)
async def test_an_answer_against_the_contract_is_not_taken(changed: dict[str, Any]) -> None:
    async def answer_wrong(stream: Questions) -> None:
        async for request in stream:
            await stream.send_message(answer_to(request, **changed))

    async with (
        serve_script(ScriptedServer(check=answer_wrong)) as target,
        opened(target) as transport,
    ):
        assert await fails(check(transport)) is Failure.UNINTELLIGIBLE


@pytest.mark.parametrize("number", [10, 99, -1, -9])
async def test_a_reason_of_the_future_is_a_denial(number: int) -> None:
    async def answer_unheard_of(stream: Questions) -> None:
        async for request in stream:
            await stream.send_message(answer_to(request, reasons=[number], local_names=[""]))

    async with (
        serve_script(ScriptedServer(check=answer_unheard_of)) as target,
        opened(target) as transport,
    ):
        checked = await transport.check_locals([ROW], deadline=soon())

    assert list(checked.reasons) == [Reason.DENIED]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Status.INVALID_ARGUMENT.value, InvalidRequest),
        (Status.UNAUTHENTICATED.value, CredentialRefused),
        (Status.NOT_FOUND.value, AuthProtocolError),
        (Status.RESOURCE_EXHAUSTED.value, AuthUnavailable),
        (Status.UNAVAILABLE.value, PathFailed),
        (Status.DEADLINE_EXCEEDED.value, PathFailed),
        (99, PathFailed),
    ],
)
async def test_an_error_in_band_is_that_questions_alone(code: int, kind: type[Exception]) -> None:
    async def fail_one(stream: Questions) -> None:
        async for request in stream:
            # An error wins over whatever rows come with it.
            error = {"error_code": code} if request.user_ids == ["u1"] else {}
            await stream.send_message(answer_to(request, **error))

    script = ScriptedServer(check=fail_one)
    async with serve_script(script) as target, opened(target) as transport:
        failing, fine = await asyncio.gather(
            check(transport, 1), check(transport, 2), return_exceptions=True
        )

    assert type(failing) is kind
    assert fine == "u2"
    assert script.streams == 1


async def test_a_stream_that_is_cut_fails_every_question_on_it_and_the_next_gets_a_new_one() -> (
    None
):
    broken = asyncio.Event()

    async def break_once(stream: Questions) -> None:
        if not broken.is_set():
            for _ in range(3):
                await stream.recv_message()
            broken.set()
            raise GRPCError(Status.INVALID_ARGUMENT)
        await answer_all(stream)

    script = ScriptedServer(check=break_once)
    async with serve_script(script) as target, opened(target) as transport:
        failures = await asyncio.gather(*(fails(check(transport, n)) for n in range(3)))
        assert await check(transport, 4) == "u4"

    assert failures == [Failure.BROKEN_OFF] * 3
    assert script.streams == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status.UNAUTHENTICATED, CredentialRefused),
        (Status.RESOURCE_EXHAUSTED, AuthUnavailable),
        (Status.UNAVAILABLE, PathFailed),
        (Status.OK, PathFailed),
    ],
)
async def test_a_stream_that_the_server_ends_says_why(
    status: Status, kind: type[Exception]
) -> None:
    async def refuse(stream: Questions) -> None:
        await stream.recv_message()
        if status is not Status.OK:
            raise GRPCError(status)

    async with serve_script(ScriptedServer(check=refuse)) as target, opened(target) as transport:
        with pytest.raises(AuthUnavailable if kind is not PathFailed else PathFailed) as caught:
            await check(transport)

    assert type(caught.value) is kind


async def test_a_connection_that_is_lost_is_made_anew() -> None:
    async with (
        serve_script(ScriptedServer(check=answer_all)) as target,
        open_proxy(Address.parse(target)) as proxy,
        opened(str(proxy.address)) as transport,
    ):
        assert await check(transport, 1) == "u1"
        await proxy.close()
        assert await fails(check(transport, 2)) is Failure.BROKEN_OFF
        await proxy.open()
        assert await check(transport, 3) == "u3"


async def test_the_callers_task_is_never_cancelled_for_a_stream_that_died() -> None:
    async def hang_up(stream: Questions) -> None:
        await stream.recv_message()
        raise GRPCError(Status.INTERNAL)

    me = asyncio.current_task()
    assert me is not None
    async with serve_script(ScriptedServer(check=hang_up)) as target, opened(target) as transport:
        for number in range(5):
            assert await fails(check(transport, number)) is Failure.BROKEN_OFF
            assert me.cancelling() == 0


async def test_a_server_that_does_not_read_costs_the_deadline_and_holds_no_crowd() -> None:
    async def never_read(stream: Questions) -> None:
        await asyncio.Event().wait()

    async with (
        serve_script(ScriptedServer(check=never_read)) as target,
        opened(target) as transport,
    ):
        crowd = [
            asyncio.create_task(fails(check(transport, number, timeout_s=1.0)))
            for number in range(QUESTIONS_MAX + 5)
        ]
        failures = await asyncio.gather(*crowd)

    assert failures.count(Failure.NOT_ASKED) == 5
    assert failures.count(Failure.TIMED_OUT) == QUESTIONS_MAX


async def test_an_answer_that_is_too_large_is_not_read() -> None:
    async def answer_hugely(stream: Questions) -> None:
        async for request in stream:
            await stream.send_message(answer_to(request, local_names=["x" * 2_000_000]))

    async with (
        serve_script(ScriptedServer(check=answer_hugely)) as target,
        opened(target) as transport,
    ):
        assert await fails(check(transport)) is Failure.UNINTELLIGIBLE


async def test_close_fails_what_is_under_way() -> None:
    begun = asyncio.Event()

    async def never_answer(stream: Questions) -> None:
        await stream.recv_message()
        begun.set()
        await asyncio.Event().wait()

    async with (
        serve_script(ScriptedServer(check=never_answer)) as target,
        opened(target) as transport,
    ):
        call = asyncio.create_task(fails(check(transport)))
        await asyncio.wait_for(begun.wait(), timeout=5)
        await transport.close()

        assert await call is Failure.BROKEN_OFF


async def test_the_credential_goes_with_the_stream_and_the_trace_with_its_batch() -> None:
    opened_with: list[dict[str, Any]] = []
    traces: list[str] = []

    async def note(stream: Questions) -> None:
        opened_with.append(dict(stream.metadata or {}))
        async for request in stream:
            traces.append(request.traceparent)
            await stream.send_message(answer_to(request))

    async def trace(call: RpcCall, call_next: CallNext) -> None:
        call.metadata["traceparent"] = f"trace-{len(traces)}"
        await call_next()

    async with serve_script(ScriptedServer(check=note)) as target:
        transport = open_grpc(target, trace, channels=1)
        await check(transport, 1)
        await check(transport, 2)
        await transport.close()

    assert [metadata["authorization"] for metadata in opened_with] == ["Bearer service-key"]
    assert "traceparent" not in opened_with[0]
    assert traces == ["trace-0", "trace-1"]


async def test_a_question_that_was_given_up_before_it_left_is_not_sent() -> None:
    fake = FakeAuth()
    async with serve_grpc(fake) as target, opened(target) as transport:
        call = asyncio.create_task(check(transport, 1))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait({call})
        await check(transport, 2)

    assert fake.asked == 1


class Upgraded:
    """An Auth that learns access.v1 while its connections stand, which real ones do not."""

    is_old = True

    async def check(self, stream: Questions) -> None:
        if self.is_old:
            raise GRPCError(Status.UNIMPLEMENTED)
        await answer_all(stream)


async def test_an_older_server_is_asked_row_by_row_and_probed_again_after_a_reconnect() -> None:
    upgraded = Upgraded()
    fake = FakeAuth(decisions={QUERY: Said(True, "Centro")})
    script = ScriptedServer(check=upgraded.check)
    async with (
        serve_script(script, AuthService(fake)) as target,
        open_proxy(Address.parse(target)) as proxy,
        opened(str(proxy.address), channels=2) as transport,
    ):
        for _ in range(5):
            old = await transport.check_locals([ROW, row(2)], deadline=soon())
        probes = script.streams
        upgraded.is_old = False
        still_old = await transport.check_locals([ROW], deadline=soon())
        await proxy.close()
        await proxy.open()
        async with asyncio.timeout(5):
            while not (new := await try_to_check(transport)) or new.as_of == AsOf():
                pass

    assert (list(old.reasons), old.as_of) == ([Reason.ALLOWED, Reason.NOT_ASSIGNED], AsOf())
    assert probes == 1
    assert still_old.as_of == AsOf()
    assert new.as_of.revision == 3


async def try_to_check(transport: GrpcTransport) -> Checked | None:
    try:
        return await transport.check_locals([ROW], deadline=soon())
    except PathFailed:
        return None


async def test_rows_of_an_older_server_are_bounded_by_the_room_of_the_channels() -> None:
    fake = FakeAuth()
    async with serve_grpc(fake, is_old=True) as target, opened(target) as transport:
        checked = await transport.check_locals(
            [row(number) for number in range(300)], deadline=soon(30.0)
        )

    assert list(checked.reasons) == [Reason.NOT_ASSIGNED] * 300
    assert fake.asked == 300
