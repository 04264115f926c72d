"""Auth's access.v1 on a real port, and grpcio as a client of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from authsvc.access_v1 import AccessGrpc
from authsvc.access_v1.wire import StreamMessages
from authsvc.checks import Checks
from authsvc.follower import follow
from authsvc.grpc_api import AuthGrpc
from authsvc.key_pairs import Algorithm
from authsvc.key_rotation import KeyRotation
from authsvc.key_schedule import KeyRules
from authsvc.keys import Keys
from authsvc.knowledge import Knowledge
from authsvc.service import AuthService
from authsvc.store import Store
from authsvc.tokens import TokenRules
from authsvc.wire import open_codec
from svckit.address import Address
from svckit.bind import bind, bound_address
from svckit.grpc_server import serve_grpc
from svckit.interceptors import server_interceptors
from svckit.lease_clock import lease_clock
from svckit.readiness import Readiness
from tests.unit.svckit.seen import Seen

__all__ = ["ServedAuth", "served_auth", "grpcio_channel", "CheckCall", "WatchCall", "task_names"]

TIMEOUT_S = 10.0
SERVICE = "/access.v1.AccessService"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedAuth:
    address: Address
    service: AuthService
    seen: Seen


@asynccontextmanager
async def served_auth(store: Store) -> AsyncIterator[ServedAuth]:
    """Auth over this store, as its root wires it."""
    seen = Seen()
    interceptors = server_interceptors(seen.telemetry)
    knowledge = Knowledge(records_weight_max=10_000)
    keys = Keys(store, freshness=knowledge.freshness, clock=lease_clock, wall_clock=lease_clock)
    rotation = KeyRotation(
        store,
        rules=KeyRules(token_ttl_s=600),
        algorithm=Algorithm.ES256,
        wall_clock=lease_clock,
    )
    await rotation.start()
    service = AuthService(
        store=store,
        checks=Checks(store=store, knowledge=knowledge, clock=lease_clock),
        keys=keys,
        rules=TokenRules(issuer="portero", audience="portero", ttl_s=600),
        wall_clock=lease_clock,
    )
    codec = open_codec()
    listener = bind(Address("127.0.0.1", 0), variable="TEST_BIND")
    address = bound_address(listener)
    async with (
        follow(
            store,
            knowledge,
            clock=lease_clock,
            report_bug=seen.telemetry.report_bug,
        ) as follower,
        serve_grpc(
            [
                AuthGrpc(service),
                AccessGrpc(
                    service, follower=follower, log=knowledge.log, interceptors=interceptors
                ),
            ],
            listener=listener,
            codec=codec,
            interceptors=interceptors,
            readiness=Readiness(),
        ),
    ):
        yield ServedAuth(address=address, service=service, seen=seen)


@asynccontextmanager
async def grpcio_channel(address: Address) -> AsyncIterator[Any]:
    async with grpc.aio.insecure_channel(str(address)) as channel:
        yield channel


class CheckCall:
    """A CheckLocals stream; each `ask` has the next request_id."""

    def __init__(self, channel: Any) -> None:
        messages = StreamMessages()
        self._request = messages.check_request
        self._asked = 0
        self.call = channel.stream_stream(
            f"{SERVICE}/CheckLocals",
            request_serializer=self._request.SerializeToString,
            response_deserializer=messages.check_response.FromString,
        )(timeout=TIMEOUT_S)

    async def send(self, *rows: tuple[str, str, str], **fields: Any) -> int:
        self._asked += 1
        columns = {
            "user_ids": [row[0] for row in rows],
            "organization_ids": [row[1] for row in rows],
            "local_ids": [row[2] for row in rows],
        }
        fields = {"request_id": self._asked, **columns, **fields}
        await self.call.write(self._request(**fields))
        return int(fields["request_id"])

    async def ask(self, *rows: tuple[str, str, str], **fields: Any) -> Any:
        request_id = await self.send(*rows, **fields)
        answer = await self.call.read()
        assert answer.request_id == request_id
        return answer

    async def reasons(self, *rows: tuple[str, str, str]) -> Sequence[int]:
        answer = await self.ask(*rows)
        assert answer.error_code == 0, answer.error_message
        return list(answer.reasons)


class WatchCall:
    """A Watch stream."""

    def __init__(self, channel: Any) -> None:
        messages = StreamMessages()
        self._request = messages.watch_request
        self.call = channel.stream_stream(
            f"{SERVICE}/Watch",
            request_serializer=self._request.SerializeToString,
            response_deserializer=messages.watch_response.FromString,
        )(timeout=TIMEOUT_S)

    async def send(self, tick: int, **position: Any) -> None:
        await self.call.write(self._request(tick=tick, **position))

    async def ask(self, tick: int, **position: Any) -> Any:
        await self.send(tick, **position)
        return await self.call.read()


def task_names() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}
