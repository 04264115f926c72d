"""The transports, each in front of the same fake Auth."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from catalogsvc.authz.transport import Transport
from tests.contract.authz.fake_auth import FakeAuth, serve_grpc, serve_rest
from tests.contract.authz.fake_transport import FakeTransport
from tests.contract.authz.wires import open_grpc, open_rest


@pytest.fixture
def fake() -> FakeAuth:
    return FakeAuth()


async def _open(kind: str, fake: FakeAuth, stack: AsyncExitStack) -> Transport:
    is_old = kind.startswith("old ")
    match kind.removeprefix("old "):
        case "grpc":
            return open_grpc(await stack.enter_async_context(serve_grpc(fake, is_old=is_old)))
        case "rest":
            return open_rest(await stack.enter_async_context(serve_rest(fake, is_old=is_old)))
        case _:
            return FakeTransport(auth=fake)


@pytest.fixture(params=["grpc", "old grpc", "rest", "old rest", "fake"])
async def transport(request: pytest.FixtureRequest, fake: FakeAuth) -> AsyncIterator[Transport]:
    async with AsyncExitStack() as stack:
        made = await _open(request.param, fake, stack)
        stack.push_async_callback(made.close)
        yield made
