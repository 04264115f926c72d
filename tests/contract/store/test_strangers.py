"""A flood of strangers is refused, and takes from nobody else what the database has to give."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace

import pytest

from authsvc.backend import open_backend
from authsvc.denials import KINDS_MAX, WINDOW_S
from authsvc.login_limits import Attempt
from authsvc.passwords import PLACES_MAX, PLACES_PER_NETWORK_MAX
from authsvc.settings import AuthSettings
from authsvc.store import strangers
from authsvc.store.commit import WRITE_LOCK
from authsvc.store.login_store import LoginRefusal
from svckit.database import DatabaseLimits, writing
from svckit.errors import Overloaded, Unauthenticated
from tests.sessions_at_hand import PASSWORD, SessionsAtHand, sessions_at_hand

MADE_UP = f"prt_{'a' * 32}.{'b' * 32}"


@pytest.fixture
async def a(database_url: str) -> AsyncIterator[SessionsAtHand]:
    async with sessions_at_hand(database_url) as at_hand:
        yield at_hand


async def log_in(a: SessionsAtHand, network: str, password: str = PASSWORD) -> type | None:
    """What it was refused with; None: it was not."""
    try:
        await a.sessions.log_in(
            organization_id="acme", email="ana@acme.test", password=password, network=network
        )
    except (Overloaded, Unauthenticated) as refused:
        return type(refused)
    return None


async def refresh(a: SessionsAtHand, network: str) -> type:
    with pytest.raises((Overloaded, Unauthenticated)) as caught:
        await a.sessions.refresh(MADE_UP, network=network)
    return caught.type


async def test_a_refresh_token_that_was_made_up_waits_for_no_writer(a: SessionsAtHand) -> None:
    async with writing(a.engine, lock=WRITE_LOCK):
        assert await refresh(a, "n") is Unauthenticated


@pytest.mark.parametrize(
    ("networks", "served"),
    [
        ([f"n{number}" for number in range(40)], strangers.PLACES_MAX),
        (["n"] * 40, strangers.PLACES_PER_NETWORK_MAX),
    ],
)
async def test_of_many_refreshes_at_once_a_few_reach_the_database(
    a: SessionsAtHand, networks: list[str], served: int
) -> None:
    refused = await asyncio.gather(*(refresh(a, network) for network in networks))

    assert refused.count(Unauthenticated) == served
    assert refused.count(Overloaded) == 40 - served


async def test_all_that_log_in_at_once_write_over_one_connection(a: SessionsAtHand) -> None:
    async with asyncio.TaskGroup() as tasks, writing(a.engine, lock=WRITE_LOCK):
        pool = a.engine.sync_engine.pool
        for number in range(5):
            tasks.create_task(log_in(a, f"n{number}"))
            # Reads its limits, which takes nothing that the writer has.
            async with asyncio.timeout(5):
                while a.passwords._places.taken <= number:  # noqa: ASYNC110 # another task
                    await asyncio.sleep(0)
        busy = pool.checkedout()  # type: ignore[attr-defined] # of a pool that counts
        assert busy <= 2  # that of this test, and that of the one whose turn it is


async def test_whoever_has_to_wait_takes_nobodys_place(a: SessionsAtHand) -> None:
    for _ in range(5):
        assert await log_in(a, "n", "wrong password") is Unauthenticated

    with ExitStack() as taken:
        for number in range(PLACES_MAX):
            taken.enter_context(a.passwords.place(f"n{number}"))
        with pytest.raises(Overloaded, match="too many failed logins"):
            await a.sessions.log_in(
                organization_id="acme", email="ana@acme.test", password="", network="n"
            )


async def test_one_network_cannot_keep_the_others_from_logging_in(a: SessionsAtHand) -> None:
    with ExitStack() as taken:
        for _ in range(PLACES_PER_NETWORK_MAX):
            taken.enter_context(a.passwords.place("n"))

        assert await log_in(a, "n") is Overloaded
        assert await log_in(a, "another") is None


async def test_who_makes_up_accounts_adds_so_many_rows_to_the_audit_log_and_to_no_tenants(
    a: SessionsAtHand,
) -> None:
    for number in range(3 * KINDS_MAX):
        attempt = Attempt(
            organization_id="acme", email_folded=f"e{number}", network=f"2001:db8:0:{number:x}::/64"
        )
        begun = await a.logins.begin(attempt)
        await a.logins.refuse(begun, LoginRefusal.UNKNOWN_USER)
    a.lease_now += WINDOW_S
    begun = await a.logins.begin(replace(attempt, email_folded="last", network="n"))
    await a.logins.refuse(begun, LoginRefusal.UNKNOWN_USER)

    rows = [row for row in await a.audited() if row.action == "login.failed"]
    assert {row.organization_id for row in rows} == {None}
    assert len(rows) == KINDS_MAX + 3  # those beyond as one, at once and when it is over
    assert sum(json.loads(row.after)["count"] for row in rows) == 3 * KINDS_MAX + 1


async def test_the_follower_and_the_probe_need_no_connection_of_the_others(
    a: SessionsAtHand, database_url: str
) -> None:
    settings = AuthSettings(database_url=database_url, migrate_on_start=False)
    async with open_backend(settings) as backend, AsyncExitStack() as taken:
        for _ in range(DatabaseLimits().pool_size):
            await taken.enter_async_context(backend.engine.connect())

        async with asyncio.timeout(2):
            await asyncio.gather(
                backend.watching_store.ping(),
                backend.watching_store.read_changes(database_id="", after=0),
            )
