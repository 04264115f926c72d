"""What the client does when Auth, or the way to it, is broken: asked over real sockets."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from catalogsvc.authz import (
    AuthClient,
    AuthClientSettings,
    AuthProtocolError,
    AuthUnavailable,
    BreakerState,
    Closed,
    Reason,
    Source,
)
from svckit import errors
from svckit.address import Address
from svckit.deadline import Deadline
from tests.contract.authz.broken_servers import (
    black_hole,
    hanging_up,
    http_saying,
    refused_port,
    talking_nonsense,
)
from tests.contract.authz.clients import (
    QUERY,
    SkewedClock,
    ask,
    lease,
    now,
    open_client,
    open_rest_client,
)
from tests.contract.authz.fake_auth import FakeAuth, Said, serve_grpc, serve_rest
from tests.proxy import open_proxy

Place = Callable[[], AbstractAsyncContextManager[str]]
BROKEN: tuple[Place, ...] = (refused_port, black_hole, hanging_up, talking_nonsense)


@pytest.fixture
def fake(fake: FakeAuth) -> FakeAuth:
    fake.decisions[QUERY] = Said(True, "Centro")
    return fake


@pytest.mark.parametrize("broken", BROKEN)
async def test_rest_answers_in_the_same_call_when_grpc_is_broken(
    fake: FakeAuth, broken: Place
) -> None:
    async with broken() as target, serve_rest(fake) as url, open_client(target, url) as client:
        decision = await ask(client, timeout_s=2.0)

    assert decision
    assert decision.source is Source.REST


@pytest.mark.parametrize("broken", BROKEN)
async def test_the_next_target_answers_when_one_is_broken(fake: FakeAuth, broken: Place) -> None:
    async with (
        broken() as bad,
        serve_grpc(fake) as good,
        AuthClient(AuthClientSettings(grpc_targets=(bad, good))) as client,
    ):
        decision = await ask(client, timeout_s=2.0)

    assert decision.source is Source.GRPC


@pytest.mark.parametrize("broken", BROKEN)
async def test_with_everything_broken_the_caller_hears_it_within_the_deadline(
    broken: Place,
) -> None:
    async with (
        broken() as target,
        broken() as place,
        open_client(target, f"http://{place}") as client,
    ):
        started = now()
        with pytest.raises(AuthUnavailable) as caught:
            await ask(client, timeout_s=0.3)

    assert now() - started < 0.3 + 0.5
    assert caught.value.retry_after_s is not None


async def test_unavailable_names_every_path_that_was_tried() -> None:
    async with (
        refused_port() as target,
        refused_port() as place,
        open_client(target, f"http://{place}") as client,
    ):
        with pytest.raises(AuthUnavailable) as caught:
            await ask(client)
        assert client.snapshot().unavailable == 1

    assert caught.value.tried == (f"grpc://{target}", f"http://{place}")


async def test_a_breaker_that_opened_spares_the_caller_the_wait(fake: FakeAuth) -> None:
    async with (
        black_hole() as target,
        serve_rest(fake) as url,
        open_client(
            target, url, max_staleness_s=0, attempt_timeout_s=0.1, breaker_failures=5
        ) as client,
    ):
        for _ in range(5):
            await ask(client)
        started = now()
        decision = await ask(client)
        took_s = now() - started
        snapshot = client.snapshot()

    assert decision.source is Source.REST
    assert took_s < 0.1
    assert snapshot.breakers == {f"grpc://{target}": BreakerState.OPEN}
    assert snapshot.answers == {Source.CACHE: 0, Source.GRPC: 0, Source.REST: 6}


async def test_an_open_breaker_without_fallback_says_when_to_come_back() -> None:
    async with refused_port() as target:
        settings = AuthClientSettings(grpc_targets=(target,), breaker_failures=1)
        async with AuthClient(settings) as client:
            with pytest.raises(AuthUnavailable):
                await ask(client)
            with pytest.raises(AuthUnavailable) as caught:
                await ask(client)

    assert caught.value.tried == ()
    assert caught.value.retry_after_s == pytest.approx(60, abs=5)


async def test_one_probe_brings_a_recovered_target_back(fake: FakeAuth) -> None:
    clock = SkewedClock()
    async with (
        refused_port() as target,
        serve_rest(fake) as url,
        open_client(target, url, clock=clock, max_staleness_s=0, breaker_failures=2) as client,
    ):
        for _ in range(2):
            await ask(client, clock=clock)
        clock.skew_s += 60
        async with serve_grpc(fake, port=int(target.rpartition(":")[2])):
            decision = await ask(client, clock=clock)
        states = client.snapshot().breakers

    assert decision.source is Source.GRPC
    assert states == {f"grpc://{target}": BreakerState.CLOSED}


async def test_a_caller_in_a_hurry_does_not_open_the_breaker() -> None:
    async with black_hole() as target:
        settings = AuthClientSettings(grpc_targets=(target,), breaker_failures=1)
        async with AuthClient(settings) as client:
            with pytest.raises(AuthUnavailable):
                await ask(client, timeout_s=0.05)
            # The question goes on: its outcome will be the server's own.
            assert client.snapshot().in_flight == 1
            states = client.snapshot().breakers

    assert states == {f"grpc://{target}": BreakerState.CLOSED}


async def test_the_connection_is_made_anew_when_the_way_is_back(fake: FakeAuth) -> None:
    async with (
        serve_grpc(fake) as target,
        open_proxy(Address.parse(target)) as proxy,
        open_client(str(proxy.address), max_staleness_s=0) as client,
    ):
        assert await ask(client)
        await proxy.close()
        with pytest.raises(AuthUnavailable):
            await ask(client)
        await proxy.open()
        assert await ask(client)


@pytest.mark.parametrize(
    "trouble",
    [errors.Overloaded("busy"), errors.Unauthenticated("no"), errors.Forbidden("no")],
)
async def test_overload_and_a_refused_credential_do_not_fall_back(
    trouble: errors.ServiceError,
) -> None:
    grpc, rest = FakeAuth(trouble=trouble), FakeAuth()
    async with (
        serve_grpc(grpc) as target,
        serve_rest(rest) as url,
        open_client(target, url, breaker_failures=1) as client,
    ):
        with pytest.raises(AuthUnavailable):
            await ask(client)
        states = client.snapshot().breakers

    assert rest.asked == 0
    assert states == {f"grpc://{target}": BreakerState.CLOSED}


@pytest.mark.parametrize(
    "body",
    [
        b'{"is_valid": "true", "local_name": "Centro", "reason": "ALLOWED"}',
        b'{"is_valid": 1}',
        b'{"is_valid": null}',
        b'{"local_name": "Centro"}',
        b'{"is_valid": true, "reason": "NOT_ASSIGNED"}',
        b'{"is_valid": true, "local_name": 5}',
        b"true",
        b"[]",
        b"",
        b"<html>welcome</html>",
        b'{"is_valid": true',
        b'{"is_valid": true, "local_name": "' + b"x" * 300_000 + b'"}',
    ],
)
async def test_only_a_real_true_is_a_yes(body: bytes) -> None:
    async with (
        http_saying("200 OK", body, "content-type: application/json") as url,
        open_rest_client(url) as client,
    ):
        with pytest.raises(AuthProtocolError):
            await ask(client)


@pytest.mark.parametrize("status", ["404 Not Found", "400 Bad Request", "413 Too Large"])
async def test_a_proxys_no_is_not_auths_answer(status: str) -> None:
    async with (
        http_saying(status, b"<html>", "content-type: text/html") as url,
        open_rest_client(url) as client,
    ):
        with pytest.raises(AuthUnavailable):
            await client.get_user_permissions(user_id="u1")


async def test_a_redirect_is_not_followed(fake: FakeAuth) -> None:
    async with (
        serve_rest(fake) as elsewhere,
        http_saying("307 Moved", b"", f"location: {elsewhere}/api/v1/x") as url,
        open_rest_client(url) as client,
    ):
        with pytest.raises(AuthUnavailable):
            await client.verify_token("secret")

    assert fake.metadata == {}


async def test_a_revoked_access_is_refused_when_its_lease_is_over(fake: FakeAuth) -> None:
    clock = SkewedClock()
    async with serve_grpc(fake) as target, open_client(target, lease_clock=clock) as client:
        await lease(client)
        fake.decisions[QUERY] = Said(True, "Centro")
        assert await ask(client)
        fake.is_feed_silent = True
        fake.decisions[QUERY] = Said(False, "", "NOT_ASSIGNED")
        still = await ask(client)
        clock.skew_s += 2.0
        after = await ask(client)

    assert still.source is Source.CACHE
    assert after.reason is Reason.NOT_ASSIGNED


async def test_a_revoked_access_is_refused_when_the_feed_tells_it(fake: FakeAuth) -> None:
    async with serve_grpc(fake) as target, open_client(target) as client:
        await lease(client)
        fake.decisions[QUERY] = Said(True, "Centro")
        assert await ask(client)
        fake.decisions[QUERY] = Said(False, "", "NOT_ASSIGNED")
        fake.change(QUERY.organization_id, QUERY.user_id, QUERY.local_id)
        async with asyncio.timeout(1.5):
            while await ask(client):  # noqa: ASYNC110 # no event says it, and none should
                await asyncio.sleep(0.001)
        snapshot = client.snapshot()

    assert snapshot.dropped == 1


async def test_a_failure_is_not_kept(fake: FakeAuth) -> None:
    async with serve_grpc(fake) as target, open_client(target) as client:
        fake.trouble = errors.Unavailable("store down")
        with pytest.raises(AuthUnavailable):
            await ask(client)
        fake.trouble = None
        assert await ask(client)


async def test_close_ends_a_call_that_is_under_way() -> None:
    async with (
        black_hole() as target,
        AuthClient(AuthClientSettings(grpc_targets=(target,))) as client,
    ):
        call = asyncio.create_task(ask(client))
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(Closed):
            await call


async def test_no_task_outlives_the_client() -> None:
    before = asyncio.all_tasks()
    async with black_hole() as target, open_client(target) as client:
        call = asyncio.create_task(ask(client))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert client.snapshot().in_flight == 1
        await client.close()

        assert asyncio.all_tasks() == before


async def test_a_deadline_that_is_over_is_unavailable(fake: FakeAuth) -> None:
    async with serve_grpc(fake) as target, open_client(target) as client:
        with pytest.raises(AuthUnavailable):
            await client.validate_local(
                user_id="u1", organization_id="o1", local_id="l1", deadline=Deadline(now())
            )

    assert fake.asked == 0
