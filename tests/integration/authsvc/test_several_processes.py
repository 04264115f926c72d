"""Several Auths on one database serve one truth: what one changes, all refuse at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from authsvc.audit import SYSTEM
from authsvc.migrations import MIGRATIONS
from authsvc.model import Local, Organization, User
from authsvc.store import Store
from svckit.database import open_database
from svckit.migrations import migrate
from tests.integration.authsvc.access_client import (
    CheckCall,
    ServedAuth,
    WatchCall,
    grpcio_channel,
    served_auth,
)

ROW = ("u1", "o1", "l1")
ALLOWED, NOT_ASSIGNED = 1, 9
# PostgreSQL notifies in milliseconds and SQLite is looked at every 20; the rest is a busy machine.
SEEN_BOUND_S = 2.0
TICKS = 25


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/auth.db"
    else:
        url = request.getfixturevalue("postgres_url")
    await asyncio.to_thread(asyncio.run, migrate(url, MIGRATIONS))
    async with open_store(url) as store:
        await store.put_each(
            [
                Organization(id="o1", name="Acme"),
                Local(id="l1", organization_id="o1", name="Centro"),
                User(id="u1", organization_id="o1", email="u@1", locals=frozenset({"l1"})),
            ],
            by=SYSTEM,
        )
    return url


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """With an engine of its own, as each process has."""
    engine = open_database(url)
    try:
        yield Store(engine)
    finally:
        await engine.dispose()


@asynccontextmanager
async def one_auth(url: str) -> AsyncIterator[ServedAuth]:
    async with open_store(url) as store, served_auth(store) as served:
        yield served


async def test_what_one_process_revokes_every_process_refuses(url: str) -> None:
    async with (
        one_auth(url) as first,
        one_auth(url) as second,
        open_store(url) as elsewhere,
        grpcio_channel(first.address) as to_first,
        grpcio_channel(second.address) as to_second,
    ):
        calls = (CheckCall(to_first), CheckCall(to_second))
        for call in calls:
            assert await call.reasons(ROW) == [ALLOWED]
            assert await call.reasons(ROW) == [ALLOWED]

        assert await elsewhere.revoke("u1", "l1", by=SYSTEM)

        async with asyncio.timeout(SEEN_BOUND_S):
            for call in calls:
                while await call.reasons(ROW) != [NOT_ASSIGNED]:  # noqa: ASYNC110 # another process
                    await asyncio.sleep(0.005)


async def test_once_a_tick_is_back_no_process_allows_what_was_revoked_before_it(url: str) -> None:
    async with (
        one_auth(url) as auth,
        open_store(url) as elsewhere,
        grpcio_channel(auth.address) as channel,
    ):
        watch, call = WatchCall(channel), CheckCall(channel)
        for tick in range(1, 2 * TICKS, 2):
            await elsewhere.grant("u1", "l1", by=SYSTEM)
            await echoed(watch, tick)
            assert await call.reasons(ROW) == [ALLOWED]
            await elsewhere.revoke("u1", "l1", by=SYSTEM)
            await echoed(watch, tick + 1)
            assert await call.reasons(ROW) == [NOT_ASSIGNED]


async def echoed(watch: WatchCall, tick: int) -> None:
    page = await watch.ask(tick)
    while page.tick != tick:
        page = await watch.call.read()


async def test_answers_of_two_processes_name_one_database_and_one_count(url: str) -> None:
    async with one_auth(url) as first, one_auth(url) as second:
        answers = []
        for auth in (first, second):
            async with grpcio_channel(auth.address) as channel:
                answers.append(await CheckCall(channel).ask(ROW))

    assert answers[0].database_id == answers[1].database_id != ""
    assert answers[0].revision == answers[1].revision > 0
