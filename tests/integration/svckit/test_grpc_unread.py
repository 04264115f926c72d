"""Clients that ask for much and do not read it."""

import asyncio

import pytest
from grpclib.client import Channel
from grpclib.exceptions import StreamTerminatedError

from generated.auth import AuthServiceStub, ValidateLocalRequest, ValidateLocalResponse
from svckit import grpc_connection
from svckit.grpc_server import CLOSE_TIMEOUT_S
from tests.integration.svckit.serving import FakeAuth, channel_to, portero_codec, served, wait_until

# More than the sockets between the two will take.
LARGE = ValidateLocalResponse(local_name="x" * 1024 * 1024)
CALLS = 3


async def test_a_client_that_does_not_read_is_disconnected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grpc_connection, "UNREAD_TIMEOUT_S", 0.05)
    auth = FakeAuth()

    async with served(auth, send_buffer_bytes=4096) as serving, channel_to(serving) as channel:
        calls = await _ask_without_reading(auth, channel)
        await wait_until(lambda: len(serving.seen.lines("rpc")) == 1 + CALLS)
        await _read_on(channel)
        ends = await asyncio.gather(*calls, return_exceptions=True)

    assert all(isinstance(end, StreamTerminatedError) for end in ends)


async def test_a_client_that_does_not_read_does_not_hold_the_exit() -> None:
    auth = FakeAuth()
    loop = asyncio.get_running_loop()

    async with served(auth, drain_s=0.05, send_buffer_bytes=4096) as serving:
        channel = Channel(serving.address.host, serving.address.port, codec=portero_codec())
        calls = await _ask_without_reading(auth, channel)
        started = loop.time()
    took_s = loop.time() - started
    channel.close()
    await asyncio.gather(*calls, return_exceptions=True)

    assert took_s < 0.05 + 2 * CLOSE_TIMEOUT_S + 0.5


async def test_a_client_that_reads_again_in_time_gets_its_answers() -> None:
    auth = FakeAuth()

    async with served(auth, send_buffer_bytes=4096) as serving, channel_to(serving) as channel:
        calls = await _ask_without_reading(auth, channel)
        await _read_on(channel)
        answers = await asyncio.gather(*calls)

    assert answers == [LARGE] * CALLS


async def _ask_without_reading(
    auth: FakeAuth, channel: Channel
) -> list["asyncio.Task[ValidateLocalResponse]"]:
    """Returns when the server has begun to answer the last of the calls."""
    stub = AuthServiceStub(channel)
    await stub.validate_local(ValidateLocalRequest(), timeout=5.0)
    assert channel._protocol is not None
    channel._protocol.connection._transport.pause_reading()
    begun: list[None] = []

    async def answer(_: ValidateLocalRequest) -> ValidateLocalResponse:
        begun.append(None)
        return LARGE

    auth.answer = answer
    calls = [asyncio.create_task(_ask(stub)) for _ in range(CALLS)]
    await wait_until(lambda: len(begun) == CALLS)
    return calls


async def _ask(stub: AuthServiceStub) -> ValidateLocalResponse:
    return await stub.validate_local(ValidateLocalRequest(), timeout=5.0)


async def _read_on(channel: Channel) -> None:
    assert channel._protocol is not None
    channel._protocol.connection._transport.resume_reading()
