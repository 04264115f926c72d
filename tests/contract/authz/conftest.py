"""The three transports, each in front of the same fake Auth."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from catalogsvc.authz.channels import ChannelPool
from catalogsvc.authz.grpc_transport import GrpcTransport, open_codec
from catalogsvc.authz.rest_transport import RestTransport
from catalogsvc.authz.transport import Transport
from svckit.address import Address
from svckit.rpc import CallNext, RpcCall
from tests.contract.authz.fake_auth import FakeAuth, serve_grpc, serve_rest
from tests.contract.authz.fake_transport import FakeTransport


@pytest.fixture
def fake() -> FakeAuth:
    return FakeAuth()


async def add_key(call: RpcCall, call_next: CallNext) -> None:
    call.metadata["authorization"] = "Bearer service-key"
    await call_next()


@pytest.fixture(params=["grpc", "rest", "fake"])
async def transport(request: pytest.FixtureRequest, fake: FakeAuth) -> AsyncIterator[Transport]:
    clock = asyncio.get_running_loop().time
    async with AsyncExitStack() as stack:
        made: Transport
        if request.param == "grpc":
            target = Address.parse(await stack.enter_async_context(serve_grpc(fake)))
            pool = ChannelPool(target, size=2, codec=open_codec())
            made = GrpcTransport(pool, interceptors=(add_key,), clock=clock)
        elif request.param == "rest":
            url = await stack.enter_async_context(serve_rest(fake))
            made = RestTransport(url, interceptors=(add_key,), clock=clock)
        else:
            made = FakeTransport(auth=fake)
        stack.push_async_callback(made.close)
        yield made
