"""What must not be held against a server, or against a caller: our queue, haste, odd bytes."""

import asyncio

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from catalogsvc.authz import (
    AuthClient,
    AuthClientSettings,
    AuthUnavailable,
    BreakerState,
    Decision,
    LocalQuery,
    Source,
)
from generated.auth import ValidateLocalRequest, ValidateLocalResponse
from svckit.deadline import Deadline
from svckit.rpc import CallNext, RpcCall
from tests.integration.catalogsvc.small_servers import refusing, rest_saying, silent
from tests.integration.svckit.serving import FakeAuth, served


def now() -> float:
    return asyncio.get_running_loop().time()


async def ask(client: AuthClient, number: int = 0, *, deadline: Deadline | None = None) -> Decision:
    return await client.validate_local(
        user_id=f"u{number}", organization_id="o", local_id="l", deadline=deadline
    )


async def test_more_questions_at_once_than_there_is_room_for_do_not_open_the_breaker() -> None:
    async def slow(_: ValidateLocalRequest) -> ValidateLocalResponse:
        await asyncio.sleep(0.5)
        return ValidateLocalResponse(is_valid=True, local_name="Centro")

    async with served(FakeAuth(slow)) as auth, rest_saying() as url:
        target = str(auth.address)
        settings = AuthClientSettings(
            grpc_targets=(target,),
            rest_urls=(url,),
            # 90 fit in at once, so the last would have to wait for 3 s at the least.
            channels_per_target=1,
            attempt_timeout_s=2.0,
            max_staleness_s=0,
        )
        async with AuthClient(settings) as client:
            await asyncio.gather(*(ask(client, number) for number in range(600)))
            after = await ask(client)
            breakers = client.snapshot().breakers

    assert breakers == {f"grpc://{target}": BreakerState.CLOSED}
    assert after.source is Source.GRPC


async def test_a_silent_server_opens_the_breaker_when_calls_are_short_too() -> None:
    with silent() as target:
        async with rest_saying() as url:
            settings = AuthClientSettings(
                grpc_targets=(target,), rest_urls=(url,), timeout_s=2.0, max_staleness_s=0
            )
            async with AuthClient(settings) as client:
                first = [await ask(client, number) for number in range(5)]
                breakers = client.snapshot().breakers
                started_at = now()
                then = await ask(client)
                took_s = now() - started_at

    assert breakers == {f"grpc://{target}": BreakerState.OPEN}
    assert {decision.source for decision in (*first, then)} == {Source.REST}
    assert took_s < 0.5


@pytest.mark.parametrize(
    "body",
    [
        '{"reasons": ["ALLOWED"], "local_names": ["café"]}'.encode("latin-1"),
        b'{"reasons": ["ALLOWED"], "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["latin-1", "nested"],
)
async def test_an_answer_that_cannot_be_read_makes_the_next_url_answer(body: bytes) -> None:
    async with (
        rest_saying(body) as bad,
        rest_saying() as good,
        AuthClient(AuthClientSettings(rest_urls=(bad, good))) as client,
    ):
        decision = await ask(client)

    assert decision.local_name == "Centro"


async def test_a_patient_caller_does_not_inherit_the_failure_of_a_hurried_one() -> None:
    with refusing() as place:
        async with rest_saying(delay_s=0.3) as slow:
            settings = AuthClientSettings(rest_urls=(slow, f"http://{place}"))
            async with AuthClient(settings) as client:
                hurried, patient = await asyncio.gather(
                    *(ask(client, deadline=Deadline.after(s, now=now())) for s in (0.1, 5.0)),
                    return_exceptions=True,
                )

    assert isinstance(hurried, AuthUnavailable)
    assert isinstance(patient, Decision)


async def test_a_caller_that_is_cancelled_just_after_a_failure_is_cancelled() -> None:
    may_fail = asyncio.Event()

    async def fail_when_told(call: RpcCall, call_next: CallNext) -> None:
        await may_fail.wait()
        raise GRPCError(Status.UNAVAILABLE)

    async def cancelled_after(turns: int) -> str:
        """What became of a call that was cancelled so many turns of the loop after the failure."""
        may_fail.clear()
        settings = AuthClientSettings(grpc_targets=("127.0.0.1:1",))
        async with AuthClient(settings, interceptors=(fail_when_told,)) as client:
            queries = [
                LocalQuery(user_id=f"u{number}", organization_id="o", local_id="l")
                for number in range(3)
            ]
            call = asyncio.create_task(client.validate_locals(queries))
            while client.snapshot().in_flight < len(queries):  # noqa: ASYNC110 # no event says it, and none should
                await asyncio.sleep(0)
            may_fail.set()
            for _ in range(turns):
                await asyncio.sleep(0)
            if not call.cancel():
                return "over before"
            [outcome] = await asyncio.gather(call, return_exceptions=True)
            return type(outcome).__name__

    outcomes = [await cancelled_after(turns) for turns in range(20)]

    assert outcomes[0] == "CancelledError"
    assert outcomes[-1] == "over before"
    assert set(outcomes) == {"CancelledError", "over before"}
