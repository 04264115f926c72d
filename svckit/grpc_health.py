"""Asks a gRPC server how it is, as a stranger would: grpc.health.v1 over the socket."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from enum import StrEnum

from grpclib.client import Channel
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.health.v1.health_grpc import HealthStub
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from svckit.address import Address

__all__ = ["Health", "SharedHealth", "check_health"]

SHARED_S = 1.0


class Health(StrEnum):
    """The server's own word, or UNREACHABLE when there was none in time."""

    SERVING = "SERVING"
    NOT_SERVING = "NOT_SERVING"
    UNKNOWN = "UNKNOWN"
    UNREACHABLE = "UNREACHABLE"


class SharedHealth:
    """One check at a time, however many ask; its answer is theirs for another second.

    `check` has a bound of its own.
    """

    def __init__(self, check: Callable[[], Awaitable[Health]]) -> None:
        self._check = check
        self._lock = asyncio.Lock()
        self._newest = Health.UNKNOWN
        self._good_until = float("-inf")

    async def health(self, *, timeout_s: float) -> Health:
        """UNREACHABLE when others have waited for that long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._lock.acquire()
        except TimeoutError:
            return Health.UNREACHABLE
        try:
            # Read under the lock: whoever had it may have asked for us.
            now = asyncio.get_running_loop().time
            if now() >= self._good_until:
                self._newest = await self._check()
                self._good_until = now() + SHARED_S
            return self._newest
        finally:
            self._lock.release()


async def check_health(
    address: Address, *, timeout_s: float, service: str = "", tls: ssl.SSLContext | None = None
) -> Health:
    """How `service` is, by default the server as a whole. Never raises for a failed check."""
    channel = Channel(address.host, address.port, ssl=tls)
    try:
        # Around the whole call: grpclib's own timeout starts after it has connected.
        async with asyncio.timeout(timeout_s):
            response = await HealthStub(channel).Check(HealthCheckRequest(service=service))
    except (GRPCError, StreamTerminatedError, OSError):  # TimeoutError is an OSError
        return Health.UNREACHABLE
    finally:
        channel.close()
    name = HealthCheckResponse.ServingStatus.Name(response.status)
    return Health(name) if name in Health.__members__ else Health.UNKNOWN
