"""grpc.health.v1 over the socket, driven by readiness."""

import asyncio
import socket

import pytest
from grpclib.client import Stream
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.health.v1.health_grpc import HealthStub
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from svckit.address import Address
from svckit.grpc_health import Health, check_health
from svckit.readiness import Readiness
from tests.integration.svckit.serving import channel_to, served


@pytest.mark.parametrize("service", ["", "auth.AuthService"])
async def test_health_follows_readiness(service: str) -> None:
    readiness = Readiness(["store"])

    async with served(readiness=readiness) as serving:
        before = await check_health(serving.address, timeout_s=5.0, service=service)
        readiness.succeeded("store")
        ready = await check_health(serving.address, timeout_s=5.0, service=service)
        readiness.failed("store", "down")
        after = await check_health(serving.address, timeout_s=5.0, service=service)

    assert (before, ready, after) == (Health.NOT_SERVING, Health.SERVING, Health.NOT_SERVING)


async def test_a_watcher_is_told_each_change() -> None:
    readiness = Readiness(["store"])
    statuses: list[int] = []

    async with (
        served(readiness=readiness) as serving,
        channel_to(serving) as channel,
        HealthStub(channel).Watch.open() as watch,
    ):
        await watch.send_message(HealthCheckRequest(), end=True)
        statuses.append(await _next_status(watch))
        readiness.succeeded("store")
        statuses.append(await _next_status(watch))
        readiness.drain()
        statuses.append(await _next_status(watch))
        await watch.cancel()

    assert statuses == [
        HealthCheckResponse.NOT_SERVING,
        HealthCheckResponse.SERVING,
        HealthCheckResponse.NOT_SERVING,
    ]


async def test_a_service_that_is_not_here_is_not_found() -> None:
    async with served() as serving, channel_to(serving) as channel:
        with pytest.raises(GRPCError) as raised:
            await HealthStub(channel).Check(HealthCheckRequest(service="nope"), timeout=5.0)

    assert raised.value.status is Status.NOT_FOUND


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    assert await check_health(Address("127.0.0.1", port), timeout_s=5.0) is Health.UNREACHABLE


async def test_a_server_that_stays_silent_is_unreachable_within_the_bound() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = Address("127.0.0.1", silent.getsockname()[1])

        assert await check_health(address, timeout_s=0.05) is Health.UNREACHABLE


async def _next_status(watch: Stream[HealthCheckRequest, HealthCheckResponse]) -> int:
    async with asyncio.timeout(5.0):
        message = await watch.recv_message()
    assert message is not None
    return message.status
