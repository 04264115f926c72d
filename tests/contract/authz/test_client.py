"""What the client promises its callers, over real sockets and with Auth in good health."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from catalogsvc.authz import (
    AuthClient,
    AuthClientSettings,
    AuthUnavailable,
    Closed,
    InvalidRequest,
    InvalidToken,
    LocalQuery,
    PartlyUnavailable,
    Source,
    UnknownUser,
)
from svckit import errors
from svckit.rpc import CallNext, RpcCall
from tests.contract.authz.broken_servers import refused_port
from tests.contract.authz.clients import QUERY, ask, knows, lease, open_client, open_rest_client
from tests.contract.authz.fake_auth import FakeAuth, Said, serve_grpc, serve_rest

# For tests of hundreds of questions: on a busy machine they may take a while.
PATIENT: dict[str, Any] = {"timeout_s": 60.0, "attempt_timeout_s": 30.0, "max_staleness_s": 60.0}
YES, NO = Said(True, "Centro"), Said(False, "", "NOT_ASSIGNED")


def query(number: int) -> LocalQuery:
    return LocalQuery(user_id=f"u{number}", organization_id="o1", local_id="l1")


async def test_the_second_question_is_answered_from_the_cache(fake: FakeAuth) -> None:
    fake.decisions[QUERY] = YES
    async with serve_grpc(fake) as target, open_client(target) as client:
        await lease(client)
        first, second = await ask(client), await ask(client)
        snapshot = client.snapshot()

    assert (first.source, second.source) == (Source.GRPC, Source.CACHE)
    assert second
    assert second.local_name == "Centro"
    assert fake.asked == 1
    assert (snapshot.cache_hits, snapshot.cache_misses, snapshot.cache_size) == (1, 1, 1)


async def test_without_staleness_every_question_is_asked(fake: FakeAuth) -> None:
    async with serve_grpc(fake) as target, open_client(target, max_staleness_s=0) as client:
        await ask(client)
        await ask(client)
        snapshot = client.snapshot()

    assert fake.asked == 2
    assert snapshot.cache_size == 0


async def test_equal_questions_at_the_same_time_are_asked_once(fake: FakeAuth) -> None:
    async with serve_grpc(fake) as target, open_client(target) as client:
        decisions = await asyncio.gather(*[ask(client) for _ in range(50)])

    assert len(decisions) == 50
    assert fake.asked == 1


async def test_many_different_first_questions_do_not_break_a_cold_connection(
    fake: FakeAuth,
) -> None:
    async with serve_grpc(fake) as target, open_client(target, **PATIENT) as client:
        await asyncio.gather(
            *[
                client.validate_local(user_id=f"u{number}", organization_id="o1", local_id="l1")
                for number in range(400)
            ]
        )

    assert fake.asked == 400


async def test_a_list_of_questions_is_answered_in_its_order(fake: FakeAuth) -> None:
    for number in range(0, 200, 2):
        fake.decisions[query(number)] = YES
    queries = [query(number) for number in (*range(200), 7, 8, 7)]
    async with serve_grpc(fake) as target, open_client(target, **PATIENT) as client:
        await lease(client)
        decisions = await client.validate_locals(queries)
        again = await client.validate_locals(queries)

    assert [bool(decision) for decision in decisions] == [
        one.user_id in {f"u{number}" for number in range(0, 200, 2)} for one in queries
    ]
    assert fake.asked == 200
    assert {decision.source for decision in again} == {Source.CACHE}


async def test_no_questions_have_no_answers(fake: FakeAuth) -> None:
    async with serve_grpc(fake) as target, open_client(target, **PATIENT) as client:
        assert await client.validate_locals([]) == []


async def test_a_list_with_one_question_unanswered_is_unavailable(fake: FakeAuth) -> None:
    fake.decisions[query(1)] = YES
    async with serve_grpc(fake) as target, open_client(target) as client:
        await lease(client)
        await client.validate_locals([query(1)])
        fake.trouble = errors.Unavailable("store down")
        with pytest.raises(PartlyUnavailable) as raised:
            await client.validate_locals([query(2), query(1), query(3)])

        assert [bool(decision) for decision in raised.value.decisions] == [False, True, False]
        assert raised.value.decisions[0] is None

        assert client.snapshot().unavailable == 1


async def test_a_token_is_verified_once_until_its_user_changes(fake: FakeAuth) -> None:
    fake.tokens["good"] = ("u1", "o1", ("catalog:read",))
    async with serve_grpc(fake) as target, open_client(target) as client:
        await lease(client)
        first, second = await client.verify_token("good"), await client.verify_token("good")
        del fake.tokens["good"]
        fake.change("o1", "u1")
        await knows(client, fake.revision)
        with pytest.raises(InvalidToken):
            await client.verify_token("good")

    assert first.permissions == second.permissions == {"catalog:read"}
    assert (first.source, second.source) == (Source.GRPC, Source.CACHE)
    assert fake.asked == 2


@pytest.mark.parametrize("token", ["", "x" * 8193, "a\nb", "ñ", "a\x00"])
async def test_what_cannot_be_a_token_is_not_asked_about(fake: FakeAuth, token: str) -> None:
    async with serve_grpc(fake) as target, open_client(target) as client:
        with pytest.raises(InvalidToken):
            await client.verify_token(token)

    assert fake.asked == 0


async def test_a_bad_id_is_not_asked_about(fake: FakeAuth) -> None:
    async with serve_grpc(fake) as target, open_client(target) as client:
        with pytest.raises(InvalidRequest):
            await client.validate_local(user_id="", organization_id="o1", local_id="l1")
        with pytest.raises(InvalidRequest):
            await client.get_user_permissions(user_id="x" * 129)

    assert fake.asked == 0


async def test_permissions_are_asked_once_until_their_user_changes(fake: FakeAuth) -> None:
    fake.permissions["u1"] = ("catalog:read", "catalog:edit")
    async with serve_grpc(fake) as target, open_client(target) as client:
        await lease(client)
        for _ in range(2):
            permissions = await client.get_user_permissions(user_id="u1")
        del fake.permissions["u1"]
        fake.change("o1", "u1")
        await knows(client, fake.revision)
        with pytest.raises(UnknownUser):
            await client.get_user_permissions(user_id="u1")

    assert permissions == {"catalog:read", "catalog:edit"}
    assert fake.asked == 2


async def test_interceptors_see_both_wires_and_what_they_add_arrives(fake: FakeAuth) -> None:
    seen: list[tuple[str, str, str]] = []

    async def note(call: RpcCall, call_next: CallNext) -> None:
        seen.append((call.protocol, call.method, call.side))
        call.metadata["traceparent"] = "00-1-2-01"
        await call_next()

    rest = FakeAuth()
    async with refused_port() as target, serve_rest(rest) as url, serve_grpc(fake) as good:
        settings = AuthClientSettings(grpc_targets=(target,), rest_urls=(url,))
        async with AuthClient(settings, interceptors=(note,)) as client:
            await ask(client)
        async with AuthClient(
            AuthClientSettings(grpc_targets=(good,)), interceptors=(note,)
        ) as client:
            await ask(client)

    service = "access.v1.AccessService"
    assert [call for call in seen if not call[1].endswith("/Watch")] == [
        ("grpc", f"{service}/CheckLocals", "client"),
        ("http", f"{service}/BatchCheckLocals", "client"),
        ("grpc", f"{service}/CheckLocals", "client"),
    ]
    assert rest.metadata["traceparent"] == "00-1-2-01"


async def test_the_server_is_told_how_long_the_client_waits(fake: FakeAuth) -> None:
    told: list[float] = []

    async def note(call: RpcCall, call_next: CallNext) -> None:
        if call.deadline is not None:
            told.append(call.deadline.left_s(asyncio.get_running_loop().time()))
        await call_next()

    async with serve_grpc(fake) as target:
        settings = AuthClientSettings(grpc_targets=(target,), timeout_s=2.0)
        async with AuthClient(settings, interceptors=(note,)) as client:
            await ask(client)

    # A question is shared, so it has the client's time, whatever its first caller had.
    assert told == [pytest.approx(2.0, abs=0.2)]


async def test_only_changes_of_state_are_logged_and_no_ids() -> None:
    capture = LogCapture()
    log = structlog.wrap_logger(
        structlog.PrintLogger(),
        processors=[capture],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    async with refused_port() as target, serve_rest(FakeAuth()) as url:
        settings = AuthClientSettings(
            grpc_targets=(target,), rest_urls=(url,), breaker_failures=2, max_staleness_s=0
        )
        async with AuthClient(settings, log=log) as client:
            for _ in range(5):
                await ask(client)

    assert capture.entries == [
        {"event": "auth_breaker_opened", "log_level": "warning", "target": f"grpc://{target}"},
        {"event": "auth_fallback_begins", "log_level": "warning"},
    ]


async def test_a_token_is_in_no_error(fake: FakeAuth) -> None:
    token = "very.secret.token"
    fake.bad_token_reason = f"cannot parse {token}"
    async with serve_grpc(fake) as target, open_client(target) as client:
        with pytest.raises(InvalidToken) as invalid:
            await client.verify_token(token)
        fake.trouble = errors.Unavailable(f"cannot parse {token}")
        with pytest.raises(AuthUnavailable) as unavailable:
            await client.verify_token(token)

    for error in (invalid.value, unavailable.value):
        assert token not in repr(error)
        assert token not in str(error)


CALLS: list[Callable[[AuthClient], Awaitable[object]]] = [
    ask,
    lambda client: client.validate_locals([QUERY]),
    lambda client: client.verify_token("x"),
    lambda client: client.get_user_permissions(user_id="u1"),
]


@pytest.mark.parametrize("call", CALLS)
async def test_closed_means_closed(
    fake: FakeAuth, call: Callable[[AuthClient], Awaitable[object]]
) -> None:
    async with serve_grpc(fake) as target:
        async with open_client(target) as client:
            await ask(client)
        with pytest.raises(Closed):
            await call(client)
        await client.close()
        with pytest.raises(RuntimeError):
            await client.__aenter__()

    assert fake.asked == 1


@pytest.mark.parametrize("call", CALLS)
async def test_a_client_that_was_not_opened_is_closed(
    call: Callable[[AuthClient], Awaitable[object]],
) -> None:
    client = open_rest_client("http://127.0.0.1:1")

    with pytest.raises(Closed):
        await call(client)
