"""A stop while an HTTP client is in the middle of something."""

import asyncio
import select
import socket

from tests.integration.system.conftest import Place
from tests.processes import run_services

HALF = (
    b"POST /api/v1/tokens/verify HTTP/1.1\r\nhost: test\r\n"
    b'content-type: application/json\r\ncontent-length: 50\r\n\r\n{"token": '
)
MANY = b"GET /openapi.json HTTP/1.1\r\nhost: test\r\n\r\n" * 50
WHOLE = b"GET /livez HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"


async def test_a_body_that_is_half_sent_does_not_spoil_the_stop(place: Place) -> None:
    environ = {**place.environ, "AUTH_DRAIN_S": "0.5"}
    async with run_services("authsvc", environ=environ, ports=place.ports[:2]) as running:
        await running.printed("authctl revoke")
        _, half = await asyncio.open_connection("127.0.0.1", place.auth_port)
        half.write(HALF)
        await half.drain()
        # Whoever comes later is answered, so the first is being waited for.
        reader, whole = await asyncio.open_connection("127.0.0.1", place.auth_port)
        whole.write(WHOLE)
        answer = await asyncio.wait_for(reader.read(), 10)

        code = await running.stop()
        half.close()
        whole.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert code == 0
    assert "Traceback" not in running.output


def ask_without_reading(port: int) -> socket.socket:
    """Asks until the server takes no more, because it cannot get rid of its answers."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    while select.select([], [client], [], 0.3)[1]:
        client.send(MANY)
    return client


async def test_a_client_that_never_reads_does_not_spoil_the_stop(place: Place) -> None:
    environ = {**place.environ, "AUTH_DRAIN_S": "0.1"}
    async with run_services("authsvc", environ=environ, ports=place.ports[:2]) as running:
        await running.printed("authctl revoke")
        with await asyncio.to_thread(ask_without_reading, place.auth_port):
            async with asyncio.timeout(8):
                code = await running.stop()

    assert code == 0
