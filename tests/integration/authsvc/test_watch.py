"""Watch over a real socket, asked by grpcio."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from tests.fakes import FakeStore
from tests.integration.authsvc.access_client import (
    ServedAuth,
    WatchCall,
    grpcio_channel,
    served_auth,
    task_names,
)
from tests.integration.svckit.serving import wait_until

INVALID_ARGUMENT = 3


@pytest.fixture
def store() -> FakeStore:
    store = FakeStore()
    store.put_organization()
    store.put_user("u1")
    return store


@pytest.fixture
async def auth(store: FakeStore) -> AsyncIterator[ServedAuth]:
    async with served_auth(store) as served:
        yield served


@pytest.fixture
async def channel(auth: ServedAuth) -> AsyncIterator[Any]:
    async with grpcio_channel(auth.address) as opened:
        yield opened


async def test_a_client_from_scratch_is_reset_and_then_told_what_happens(
    channel: Any, store: FakeStore
) -> None:
    watch = WatchCall(channel)
    first = await watch.ask(1)
    store.put_user("u2")
    pushed = await watch.call.read()
    quiet = await watch.ask(2)

    assert (first.tick, first.reset, first.after_revision, first.revision) == (1, True, 0, 2)
    assert (pushed.tick, pushed.reset, list(pushed.user_ids)) == (0, False, ["u2"])
    assert (quiet.tick, quiet.after_revision, quiet.revision) == (2, 3, 3)


async def test_a_client_that_comes_back_is_told_what_it_missed(
    channel: Any, store: FakeStore
) -> None:
    page = await WatchCall(channel).ask(5, database_id="d1", after_revision=1)

    assert (page.tick, page.reset, list(page.revisions)) == (5, False, [2])


@pytest.mark.parametrize(
    "position",
    [
        {"database_id": "another", "after_revision": 2},
        {"database_id": "d1", "after_revision": 99},
    ],
    ids=["another database", "a revision that never was"],
)
async def test_a_position_that_makes_no_sense_here_is_reset(
    channel: Any, position: dict[str, Any]
) -> None:
    page = await WatchCall(channel).ask(1, **position)

    assert (page.tick, page.reset, page.database_id) == (1, True, "d1")


async def test_a_bad_tick_is_refused_in_band_and_the_feed_goes_on(channel: Any) -> None:
    watch = WatchCall(channel)
    zero = await watch.ask(0)
    await watch.ask(5)
    back = await watch.ask(4)
    again = await watch.ask(6)

    assert (zero.error_code, zero.error_message) == (INVALID_ARGUMENT, "tick is 0")
    assert (back.error_code, back.error_message) == (INVALID_ARGUMENT, "tick goes backwards")
    assert (again.tick, again.error_code) == (6, 0)


async def test_a_change_that_nobody_signalled_is_told_before_the_tick_that_came_after_it(
    channel: Any, store: FakeStore
) -> None:
    watch = WatchCall(channel)
    await watch.ask(1)
    store.is_signalling = False
    store.put_user("u2")

    page = await watch.ask(2)

    assert (page.tick, list(page.user_ids)) == (2, ["u2"])


async def test_the_feed_ends_well_when_the_client_has_enough(channel: Any) -> None:
    watch = WatchCall(channel)
    await watch.ask(1)
    await watch.call.done_writing()

    assert await watch.call.read() is grpc.aio.EOF
    assert await watch.call.code() is grpc.StatusCode.OK


async def test_many_watchers_share_few_reads_and_leave_nothing_behind(
    auth: ServedAuth, store: FakeStore
) -> None:
    async with grpcio_channel(auth.address) as channel:
        watches = [WatchCall(channel) for _ in range(40)]
        await asyncio.gather(*(watch.ask(1) for watch in watches))
        before = store.change_reads

        pages = await asyncio.gather(*(watch.ask(2) for watch in watches))

        assert {page.tick for page in pages} == {2}
        assert store.change_reads - before <= 20
    await wait_until(lambda: "watch" not in task_names())
    assert auth.seen.lines("internal_error") == []
