"""The change feed over gRPC, against servers that keep the contract and servers that do not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from catalogsvc.authz.feed import Change, FeedRefused, FeedUnsupported, Page, Position
from catalogsvc.authz.feed_transport import GrpcFeed, GrpcFeedConnection
from catalogsvc.authz.grpc_transport import open_codec
from catalogsvc.authz.transport import Failure, PathFailed
from generated.access import v1 as access
from svckit.address import Address
from svckit.rpc import Interceptor
from tests.contract.authz.broken_servers import (
    black_hole,
    hanging_up,
    refused_port,
    talking_nonsense,
)
from tests.contract.authz.fake_auth import AuthService, FakeAuth, serve_grpc
from tests.contract.authz.scripted import Feed, ScriptedServer, serve_script
from tests.contract.authz.wires import add_key
from tests.proxy import open_proxy

NOTHING_KNOWN = Position()


@asynccontextmanager
async def opened(target: str, *interceptors: Interceptor) -> AsyncIterator[GrpcFeed]:
    before = asyncio.all_tasks()
    feed = GrpcFeed(Address.parse(target), codec=open_codec(), interceptors=interceptors)
    try:
        yield feed
    finally:
        await feed.close()
    own = {task for task in asyncio.all_tasks() - before if task.get_name().startswith("auth-")}
    assert own == set()


async def receive(connection: GrpcFeedConnection) -> Page:
    return await asyncio.wait_for(connection.receive(), timeout=5)


async def first_page(target: str) -> Page:
    async with (
        opened(target) as feed,
        asyncio.timeout(5),
        feed.connect(NOTHING_KNOWN, tick=1) as connection,
    ):
        return await connection.receive()


async def test_from_scratch_the_first_page_is_a_reset() -> None:
    fake = FakeAuth(revision=7)
    async with serve_grpc(fake) as target:
        page = await first_page(target)

    assert page == Page(tick=1, database_id="db-1", after=7, revision=7, is_reset=True)


async def test_each_tick_comes_back_with_the_changes_since() -> None:
    fake = FakeAuth()
    async with (
        serve_grpc(fake) as target,
        opened(target) as feed,
        feed.connect(Position(database_id="db-1", revision=1), tick=10) as connection,
    ):
        first = await receive(connection)
        await connection.send_tick(20)
        second = await receive(connection)

    assert (first.tick, first.is_reset, first.changes) == (10, False, ())
    assert second.tick == 20


async def test_changes_come_unasked_and_their_empty_columns_mean_all() -> None:
    fake = FakeAuth()
    async with (
        serve_grpc(fake) as target,
        opened(target) as feed,
        feed.connect(Position(database_id="db-1", revision=1), tick=1) as connection,
    ):
        await receive(connection)
        pages = [asyncio.create_task(receive(connection))]
        fake.change("o1", "u1", "l1")
        page = await pages[0]
        fake.change("o2")
        following = await receive(connection)

    assert page.changes == (Change(2, "o1", "u1", "l1"),)
    assert (following.after, following.changes) == (2, (Change(3, "o2", None, None),))


async def test_an_older_server_has_no_feed() -> None:
    async with serve_grpc(FakeAuth(), is_old=True) as target:
        with pytest.raises(FeedUnsupported):
            await first_page(target)


async def test_a_server_that_lacks_this_method_has_no_feed() -> None:
    async def refuse(stream: Feed) -> None:
        raise GRPCError(Status.UNIMPLEMENTED)

    async with serve_script(ScriptedServer(watch=refuse), AuthService(FakeAuth())) as target:
        with pytest.raises(FeedUnsupported):
            await first_page(target)


@pytest.mark.parametrize("status", [Status.UNAUTHENTICATED, Status.PERMISSION_DENIED])
async def test_a_server_may_refuse_our_credential(status: Status) -> None:
    async def refuse(stream: Feed) -> None:
        raise GRPCError(status)

    async with serve_script(ScriptedServer(watch=refuse), AuthService(FakeAuth())) as target:
        with pytest.raises(FeedRefused):
            await first_page(target)


@pytest.mark.parametrize("broken", [refused_port, hanging_up, talking_nonsense])
async def test_a_broken_server_is_a_broken_path(broken: Any) -> None:
    async with broken() as target:
        with pytest.raises(PathFailed) as caught:
            await first_page(target)

    assert caught.value.failure is Failure.BROKEN_OFF


async def test_connecting_waits_as_long_as_the_caller_lets_it() -> None:
    me = asyncio.current_task()
    assert me is not None
    async with black_hole() as target, opened(target) as feed:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), feed.connect(NOTHING_KNOWN, tick=1):
                pass

    assert me.cancelling() == 0


async def test_a_feed_that_is_cut_fails_and_the_next_connection_works() -> None:
    fake = FakeAuth()
    me = asyncio.current_task()
    assert me is not None
    async with (
        serve_grpc(fake) as target,
        open_proxy(Address.parse(target)) as proxy,
        opened(str(proxy.address)) as feed,
    ):
        async with feed.connect(NOTHING_KNOWN, tick=1) as connection:
            await receive(connection)
            cutting = asyncio.create_task(proxy.close())
            with pytest.raises(PathFailed):
                await connection.receive()
            await cutting
            with pytest.raises(PathFailed):
                await connection.send_tick(2)
        await proxy.open()
        async with feed.connect(NOTHING_KNOWN, tick=3) as connection:
            page = await receive(connection)

    assert page.tick == 3
    assert me.cancelling() == 0


async def test_receiving_may_be_given_up_and_the_feed_connected_again() -> None:
    fake = FakeAuth()
    async with serve_grpc(fake) as target, opened(target) as feed:
        for tick in (1, 2, 3):
            async with feed.connect(NOTHING_KNOWN, tick=tick) as connection:
                page = await receive(connection)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(connection.receive(), timeout=0.01)
                assert page.tick == tick


async def test_a_feed_that_the_server_ends_is_a_broken_path() -> None:
    async def say_goodbye(stream: Feed) -> None:
        await stream.recv_message()
        await stream.send_message(access.WatchResponse(database_id="db-1", revision=1))

    async with (
        serve_script(ScriptedServer(watch=say_goodbye)) as target,
        opened(target) as feed,
        feed.connect(NOTHING_KNOWN, tick=1) as connection,
    ):
        await receive(connection)
        with pytest.raises(PathFailed) as caught:
            await receive(connection)

    assert caught.value.failure is Failure.BROKEN_OFF


@pytest.mark.parametrize(
    "page",
    [
        {"error_code": 3},
        {"database_id": ""},
        {"revisions": [5]},
        {"local_ids": ["l1"]},
        {"revisions": [5], "organization_ids": [""], "user_ids": [""], "local_ids": [""]},
        {"revisions": [6], "organization_ids": ["o"], "user_ids": [""], "local_ids": [""]},
        {"revisions": [1], "organization_ids": ["o"], "user_ids": [""], "local_ids": [""]},
        {"after_revision": 6},
        {"local_ids": ["x" * 2_000_000]},
    ],
)
async def test_a_page_against_the_contract_is_not_taken(page: dict[str, Any]) -> None:
    whole = {"tick": 1, "database_id": "db-1", "after_revision": 1, "revision": 5}

    async def tell_wrong(stream: Feed) -> None:
        await stream.recv_message()
        await stream.send_message(access.WatchResponse(**{**whole, **page}))
        await stream.recv_message()

    async with serve_script(ScriptedServer(watch=tell_wrong)) as target:
        with pytest.raises(PathFailed) as caught:
            await first_page(target)

    assert caught.value.failure is Failure.UNINTELLIGIBLE


async def test_the_interceptors_see_the_opening_and_add_the_credential() -> None:
    fake = FakeAuth()
    async with (
        serve_grpc(fake) as target,
        opened(target, add_key) as feed,
        feed.connect(NOTHING_KNOWN, tick=1),
    ):
        pass

    assert fake.metadata["authorization"] == "Bearer service-key"
