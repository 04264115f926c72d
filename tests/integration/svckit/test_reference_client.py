"""grpcio, the reference implementation, talks to our server."""

import asyncio
import json
import sys

from grpclib.reflection.v1.reflection_grpc import ServerReflectionStub
from grpclib.reflection.v1.reflection_pb2 import ServerReflectionRequest

from svckit.address import Address
from tests.integration.svckit.serving import channel_to, served

SERVING = 1


async def test_grpcio_finds_health_reflection_and_an_answer() -> None:
    async with served() as serving:
        seen = json.loads(await _run_client(serving.address))

    assert seen == {
        "health": [SERVING, SERVING],
        "services": ["auth.AuthService", "grpc.health.v1.Health"],
        "answer": "l1",
    }


async def test_reflection_is_offered_in_its_current_version_too() -> None:
    async with (
        served() as serving,
        channel_to(serving) as channel,
        ServerReflectionStub(channel).ServerReflectionInfo.open() as stream,
    ):
        await stream.send_message(ServerReflectionRequest(list_services=""), end=True)
        response = await stream.recv_message()

    assert response is not None
    assert "auth.AuthService" in {s.name for s in response.list_services_response.service}


async def _run_client(address: Address) -> bytes:
    client = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.svckit.grpcio_client",
        str(address),
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30.0):
        output, _ = await client.communicate()
    assert client.returncode == 0
    return output
