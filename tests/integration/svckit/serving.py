"""A served AuthService whose answers a test decides, with all that is seen of it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import descriptor_pool
from grpclib.client import Channel

import generated
from generated.auth import AuthServiceBase, ValidateLocalRequest, ValidateLocalResponse
from svckit.address import Address
from svckit.bind import bind
from svckit.codec import ProtobufCodec
from svckit.grpc_server import serve_grpc
from svckit.interceptors import server_interceptors
from svckit.readiness import Readiness
from svckit.rpc import Interceptor
from tests.unit.svckit.seen import Seen

__all__ = [
    "Answer",
    "FakeAuth",
    "Served",
    "served",
    "channel_to",
    "portero_codec",
    "wait_until",
    "VALIDATE_LOCAL",
]

VALIDATE_LOCAL = "/auth.AuthService/ValidateLocal"

Answer = Callable[[ValidateLocalRequest], Awaitable[ValidateLocalResponse]]


async def allow(request: ValidateLocalRequest) -> ValidateLocalResponse:
    return ValidateLocalResponse(is_valid=True, local_name=request.local_id)


class FakeAuth(AuthServiceBase):
    """`entered` is set while a call waits in `blocked`, which `release` lets go on."""

    def __init__(self, answer: Answer = allow) -> None:
        self.answer = answer
        self.entered = asyncio.Event()
        self.release = asyncio.Event()

    async def validate_local(
        self, validate_local_request: ValidateLocalRequest
    ) -> ValidateLocalResponse:
        return await self.answer(validate_local_request)

    async def blocked(self, request: ValidateLocalRequest) -> ValidateLocalResponse:
        self.entered.set()
        await self.release.wait()
        return await allow(request)


@dataclass(slots=True, kw_only=True)
class Served:
    address: Address
    auth: FakeAuth
    readiness: Readiness
    seen: Seen = field(default_factory=Seen)


def portero_codec() -> ProtobufCodec:
    """In the default pool, because reflection looks there."""
    described = Path(generated.__path__[0], "portero.binpb").read_bytes()
    return ProtobufCodec(described, root="generated", pool=descriptor_pool.Default())


@asynccontextmanager
async def served(
    auth: FakeAuth | None = None,
    *,
    readiness: Readiness | None = None,
    default_timeout_s: float = 5.0,
    drain_s: float = 5.0,
    send_buffer_bytes: int | None = None,
    innermost: Sequence[Interceptor] = (),
) -> AsyncIterator[Served]:
    """A small send buffer soon blocks the server on a client that does not read."""
    listener = bind(Address("127.0.0.1", 0), variable="TEST_BIND")
    if send_buffer_bytes is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
    host, port = listener.getsockname()
    serving = Served(
        address=Address(host, port),
        auth=auth or FakeAuth(),
        readiness=readiness or Readiness(),
    )
    async with serve_grpc(
        [serving.auth],
        listener=listener,
        codec=portero_codec(),
        interceptors=(
            *server_interceptors(serving.seen.telemetry, default_timeout_s=default_timeout_s),
            *innermost,
        ),
        readiness=serving.readiness,
        drain_s=drain_s,
    ):
        yield serving


@asynccontextmanager
async def channel_to(serving: Served) -> AsyncIterator[Channel]:
    channel = Channel(serving.address.host, serving.address.port, codec=portero_codec())
    try:
        yield channel
    finally:
        channel.close()


async def wait_until(condition: Callable[[], bool]) -> None:
    """Raises TimeoutError when `condition` does not come true; it must stay true once it is."""
    async with asyncio.timeout(5.0):
        while not condition():  # noqa: ASYNC110 # log lines and metrics have no event to wait for
            await asyncio.sleep(0.005)
