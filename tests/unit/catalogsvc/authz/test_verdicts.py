"""Tokens and permissions: kept under the lease, never past a token's time, dropped by a change."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from catalogsvc.authz import AuthClient, AuthUnavailable, InvalidToken, Source, UnknownUser
from catalogsvc.authz.feed import Change
from catalogsvc.authz.transport import AsOf
from tests.unit.catalogsvc.authz.scripted import ScriptedAuth, SkewedClock, lease, open_scripted

WALL_NOW = 3e9


@pytest.fixture
def auth() -> ScriptedAuth:
    auth = ScriptedAuth()
    auth.gate.set()
    return auth


@pytest.fixture
def clock() -> SkewedClock:
    return SkewedClock()


@pytest.fixture
async def client(auth: ScriptedAuth, clock: SkewedClock) -> AsyncIterator[AuthClient]:
    async with open_scripted(auth, lease_clock=clock, wall_clock=lambda: WALL_NOW) as client:
        lease(client)
        yield client


async def sources(client: AuthClient, times: int = 2) -> list[Source]:
    return [(await client.verify_token("t")).source for _ in range(times)]


async def test_a_token_is_verified_once_while_nothing_changes(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    first, second = await client.verify_token("t"), await client.verify_token("t")

    assert (first.source, second.source) == (Source.GRPC, Source.CACHE)
    assert first.permissions == second.permissions == {"t"}
    assert auth.asked == 1
    assert client.snapshot().identities == 1


async def test_permissions_are_asked_once_while_nothing_changes(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    for _ in range(2):
        assert await client.get_user_permissions(user_id="u") == {"u"}

    assert auth.asked == 1
    assert client.snapshot().permissions == 1


async def test_no_token_is_in_the_cache(client: AuthClient) -> None:
    await client.verify_token("very.secret.token")

    [key] = client._parts.verdicts.identities.by_key
    assert len(key) == 32
    assert b"secret" not in key


@pytest.mark.parametrize("change", [Change(8, "o", "u"), Change(8, "o")])
async def test_a_change_of_the_user_or_the_organization_drops_both(
    client: AuthClient, auth: ScriptedAuth, change: Change
) -> None:
    await client.verify_token("t")
    await client.get_user_permissions(user_id="u")

    lease(client, revision=8, changes=(change,))
    auth.as_of = AsOf(database_id="db", revision=8)
    await client.verify_token("t")
    await client.get_user_permissions(user_id="u")

    assert auth.asked == 4


@pytest.mark.parametrize(
    "change", [Change(8, "o", "other"), Change(8, "o", None, "l"), Change(8, "o", "u", "l")]
)
async def test_a_change_of_another_user_or_of_a_local_drops_neither(
    client: AuthClient, auth: ScriptedAuth, change: Change
) -> None:
    await client.verify_token("t")
    await client.get_user_permissions(user_id="u")

    lease(client, revision=8, changes=(change,))
    await client.verify_token("t")
    await client.get_user_permissions(user_id="u")

    assert auth.asked == 2


async def test_a_token_is_not_kept_past_its_time(
    client: AuthClient, auth: ScriptedAuth, clock: SkewedClock
) -> None:
    auth.expires_at = WALL_NOW + 10.0
    await client.verify_token("t")

    clock.skew_s += 9.9
    lease(client)
    assert await sources(client, 1) == [Source.CACHE]
    clock.skew_s += 0.1
    lease(client)
    assert await sources(client, 1) == [Source.GRPC]


async def test_a_verdict_is_not_kept_for_ever(client: AuthClient, clock: SkewedClock) -> None:
    await client.verify_token("t")

    clock.skew_s += 33.1
    lease(client)

    assert await sources(client, 1) == [Source.GRPC]


async def test_without_a_known_end_a_token_is_not_kept(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.expires_at = None

    assert await sources(client) == [Source.GRPC] * 2


async def test_what_a_server_without_revisions_says_is_not_kept(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.as_of = AsOf()
    auth.organization_id = ""

    assert await sources(client) == [Source.GRPC] * 2
    for _ in range(2):
        await client.get_user_permissions(user_id="u")
    assert auth.asked == 4


async def test_an_answer_that_a_change_overtook_is_not_kept(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.gate.clear()
    asking = asyncio.create_task(client.verify_token("t"))
    listing = asyncio.create_task(client.get_user_permissions(user_id="u"))
    while auth.asked < 2:  # noqa: ASYNC110 # no event says it
        await asyncio.sleep(0)
    lease(client, revision=8, changes=(Change(8, "o", "u"),))
    auth.gate.set()
    await asking
    await listing

    snapshot = client.snapshot()
    assert (snapshot.identities, snapshot.permissions) == (0, 0)


async def test_without_the_lease_each_time_is_asked(client: AuthClient, clock: SkewedClock) -> None:
    await client.verify_token("t")

    clock.skew_s += 2.0

    assert await sources(client) == [Source.GRPC] * 2


@pytest.mark.parametrize("error", [InvalidToken("token expired"), UnknownUser("no such user")])
async def test_a_refusal_is_not_kept(
    client: AuthClient, auth: ScriptedAuth, error: Exception
) -> None:
    auth.error = error
    for _ in range(2):
        with pytest.raises(InvalidToken if isinstance(error, InvalidToken) else UnknownUser):
            await client.verify_token("t")
    auth.error = None

    assert await sources(client, 1) == [Source.GRPC]
    assert auth.asked == 3


async def test_an_answer_that_is_too_old_is_asked_again_and_then_not_told(
    client: AuthClient, auth: ScriptedAuth, clock: SkewedClock
) -> None:
    clock.skew_s += 2.0
    auth.as_of = AsOf(database_id="db", revision=7, age_s=2.1)

    with pytest.raises(AuthUnavailable, match="too old"):
        await client.verify_token("t")
    with pytest.raises(AuthUnavailable, match="too old"):
        await client.get_user_permissions(user_id="u")

    assert auth.asked == 6
    assert client.snapshot().unavailable == 2


async def test_the_lease_vouches_for_an_answer_that_is_too_old(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.as_of = AsOf(database_id="db", revision=7, age_s=2.1)

    assert await sources(client) == [Source.GRPC, Source.CACHE]
