"""What the authorization client leans on in grpclib's client, or works around in it."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import nullcontext

import pytest
from grpclib.client import Channel
from grpclib.config import Configuration
from grpclib.const import Cardinality, Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from catalogsvc.authz.channels import KEEPALIVE, LastingChannel
from catalogsvc.authz.confine import confined
from catalogsvc.authz.grpc_stream import MESSAGE_BYTES_MAX
from catalogsvc.authz.grpc_transport import open_codec
from generated import auth
from generated.access import v1 as access
from svckit.errors import MalformedMessage
from tests.contract.authz.broken_servers import black_hole, talking_nonsense
from tests.contract.authz.fake_auth import FakeAuth, serve_grpc
from tests.contract.authz.scripted import Questions, ScriptedServer, answer_to, serve_script

QUESTION = auth.ValidateLocalRequest(user_id="u1", organization_id="o1", local_id="l1")


@pytest.fixture
async def target() -> AsyncIterator[tuple[str, int]]:
    async with serve_grpc(FakeAuth()) as place:
        host, _, port = place.rpartition(":")
        yield host, int(port)


async def ask(channel: Channel, timeout_s: float = 5.0) -> auth.ValidateLocalResponse:
    return await auth.AuthServiceStub(channel).validate_local(QUESTION, timeout=timeout_s)


def test_the_keepalive_fields_exist_and_are_all_set() -> None:
    fields = {field.name for field in dataclasses.fields(Configuration)}
    wanted = {
        "_keepalive_time": 10,
        "_keepalive_timeout": 5,
        "_keepalive_permit_without_calls": True,
        "_http2_max_pings_without_data": 0,
        "_http2_min_sent_ping_interval_without_data": 5,
    }

    assert wanted.keys() <= fields
    assert {name: getattr(KEEPALIVE, name) for name in wanted} == wanted


def test_without_them_there_is_no_keepalive() -> None:
    assert Configuration().__for_client__()._keepalive_time is None


async def test_keepalive_ends_the_connection_of_a_server_that_stopped() -> None:
    async with black_hole() as place:
        host, _, port = place.rpartition(":")
        quick = dataclasses.replace(KEEPALIVE, _keepalive_time=0.01, _keepalive_timeout=0.01)
        channel = LastingChannel(host, int(port), codec=open_codec(), config=quick)
        with pytest.raises((StreamTerminatedError, TimeoutError)):
            await ask(channel, timeout_s=1.0)

        assert not channel._connected
        channel.close()


async def test_a_closed_channel_reconnects_silently_so_the_client_guards_its_own_end(
    target: tuple[str, int],
) -> None:
    channel = Channel(*target, codec=open_codec())
    await ask(channel)
    channel.close()

    await ask(channel)

    channel.close()


async def test_a_stock_channel_goes_on_using_a_connection_that_keepalive_closed(
    target: tuple[str, int],
) -> None:
    channel = Channel(*target, codec=open_codec())
    await ask(channel)
    transport = _give_up_with_unsent_bytes(channel)

    with pytest.raises(AttributeError):
        await ask(channel)

    channel.close()
    transport.abort()


async def test_our_channel_replaces_it(target: tuple[str, int]) -> None:
    channel = LastingChannel(*target, codec=open_codec())
    await ask(channel)
    _give_up_with_unsent_bytes(channel)

    await ask(channel)

    channel.close()


def _give_up_with_unsent_bytes(channel: Channel) -> asyncio.Transport:
    """What keepalive does (`Connection.close`), when the loss is not reported: it waits to send."""
    assert channel._protocol is not None
    connection = channel._protocol.connection
    transport = connection._transport
    connection._transport = _NeverClosing(transport)  # type: ignore[assignment] # stands in for it
    connection.close()
    return transport


class _NeverClosing:
    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def close(self) -> None:
        """With unsent bytes a transport does not close until the peer has read them."""


async def test_a_dead_stream_leaves_its_cancels_on_the_task() -> None:
    async with talking_nonsense() as place:
        host, _, port = place.rpartition(":")
        channel = Channel(host, int(port), codec=open_codec())

        async def ask_and_count() -> int:
            with pytest.raises(StreamTerminatedError):
                await ask(channel)
            task = asyncio.current_task()
            assert task is not None
            return task.cancelling()

        assert await asyncio.create_task(ask_and_count()) > 0
        channel.close()


async def test_a_confined_call_leaves_none() -> None:
    async with talking_nonsense() as place:
        host, _, port = place.rpartition(":")
        channel = Channel(host, int(port), codec=open_codec())
        with pytest.raises(StreamTerminatedError):
            await confined(ask(channel))

        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        channel.close()


async def test_trailing_metadata_is_on_the_stream_after_an_error(target: tuple[str, int]) -> None:
    channel = Channel(*target, codec=open_codec())
    stub = auth.AuthServiceStub(channel)
    with pytest.raises(GRPCError):
        await stub.get_user_permissions(auth.GetUserPermissionsRequest(user_id="x"), timeout=5)
    channel.close()


async def test_an_older_server_looks_broken_to_a_stock_channel_and_older_to_ours() -> None:
    async with serve_grpc(FakeAuth(), is_old=True) as place:
        host, _, port = place.rpartition(":")
        statuses = []
        for kind in (Channel, LastingChannel):
            channel = kind(host, int(port), codec=open_codec())
            stub = access.AccessServiceStub(channel)
            with pytest.raises(GRPCError) as caught:
                await stub.verify_token(access.VerifyTokenRequest(token="t"), timeout=5)
            statuses.append(caught.value.status)
            channel.close()

    assert statuses == [Status.UNKNOWN, Status.UNIMPLEMENTED]


async def test_a_stock_stream_believes_any_size_and_ours_does_not() -> None:
    async def answer_hugely(stream: Questions) -> None:
        request = await stream.recv_message()
        assert request is not None
        names = ["x" * 2 * MESSAGE_BYTES_MAX]
        await stream.send_message(answer_to(request, local_names=names))

    async with serve_script(ScriptedServer(check=answer_hugely)) as place:
        host, _, port = place.rpartition(":")
        for kind, takes_it in ((Channel, True), (LastingChannel, False)):
            channel = kind(host, int(port), codec=open_codec())
            with nullcontext() if takes_it else pytest.raises(MalformedMessage):
                async with channel.request(
                    "/access.v1.AccessService/CheckLocals",
                    Cardinality.STREAM_STREAM,
                    access.CheckLocalsRequest,
                    access.CheckLocalsResponse,
                    timeout=5,
                ) as stream:
                    request = access.CheckLocalsRequest(request_id=1, user_ids=["u1"])
                    await stream.send_message(request, end=True)
                    await stream.recv_message()
            channel.close()
