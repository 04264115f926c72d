"""Who may call what over gRPC: every RPC of Auth's port, against the table beside this file.

A new RPC fails here until it has a row. What is sent is one empty message.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from grpclib.client import Channel
from grpclib.const import Cardinality
from grpclib.encoding.base import CodecBase
from grpclib.exceptions import GRPCError
from grpclib.health.service import Health
from grpclib.reflection.service import ServerReflection
from grpclib.reflection.v1.reflection_grpc import ServerReflectionStub
from grpclib.reflection.v1.reflection_pb2 import ServerReflectionRequest
from h2.exceptions import StreamClosedError

from authsvc.app import create_service
from generated.access.v1 import AccessServiceBase
from generated.auth import AuthServiceBase
from svckit.address import Address
from svckit.callers import KEY_HEADER

TABLE = Path(__file__).with_name("who_may_call_rpcs.txt")
COLUMNS = ("anonymous", "allowed", "limited")
KEYS = {"catalog": "k" * 32, "billing": "b" * 32, "search": "s" * 32}
ALONE = {"billing": "ValidateLocal", "search": "Watch"}
OFFERED = ServerReflection.extend([AuthServiceBase(), AccessServiceBase(), Health()])


def table() -> dict[str, dict[str, str]]:
    """RPC -> column -> status."""
    lines = [line for line in TABLE.read_text().splitlines() if line and line[0] != "#"]
    assert lines[0].split() == ["rpc", *COLUMNS]
    rows = [line.split() for line in lines[1:]]
    assert len({row[0] for row in rows}) == len(rows)
    return {rpc: dict(zip(COLUMNS, statuses, strict=True)) for rpc, *statuses in rows}


@asynccontextmanager
async def auth(tmp_path: Path) -> AsyncIterator[Address]:
    environ = {
        "AUTH_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/auth.db",
        "AUTH_GRPC_BIND": "127.0.0.1:0",
        "AUTH_HTTP_BIND": "127.0.0.1:0",
        "AUTH_SERVICE_KEYS": ",".join(f"{name}:{key}" for name, key in KEYS.items()),
        "AUTH_SERVICE_RPCS": ",".join(f"{name}:{rpc}" for name, rpc in ALONE.items()),
        "LOG_LEVEL": "ERROR",
    }
    async with create_service(environ).serve() as serving:
        yield Address.parse(serving.endpoints["gRPC"])


async def services(address: Address) -> set[str]:
    """What the port itself says that it has; it does not name reflection."""
    async with Channel(address.host, address.port) as channel:
        (answer,) = await ServerReflectionStub(channel).ServerReflectionInfo(
            [ServerReflectionRequest(list_services="")],
            timeout=5.0,
            metadata={KEY_HEADER: KEYS["catalog"]},
        )
    return {service.name for service in answer.list_services_response.service}


class Bytes(CodecBase):
    """Messages as they are on the wire."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, _: Any) -> bytes:
        assert isinstance(message, bytes)
        return message

    def decode(self, data: bytes, _: Any) -> bytes:
        return data


async def status_of(channel: Channel, rpc: str, caller: str) -> str:
    """Of a stream that goes on, the first answer is enough: it was let in."""
    limited = "search" if rpc.endswith("/ValidateLocal") else "billing"
    name = {"allowed": "catalog", "limited": limited}.get(caller)
    metadata = {KEY_HEADER: KEYS[name]} if name else {}
    call = channel.request(
        f"/{rpc}", Cardinality.STREAM_STREAM, bytes, bytes, timeout=5.0, metadata=metadata
    )
    try:
        async with call as stream:
            await stream.send_message(b"", end=True)
            if await stream.recv_message() is not None:
                with suppress(StreamClosedError):  # it has ended well already
                    await stream.cancel()
    except GRPCError as error:
        return error.status.name
    return "OK"


async def test_every_rpc_lets_in_whom_the_table_says_and_no_one_else(tmp_path: Path) -> None:
    expected = table()
    rpcs = {path[1:] for service in OFFERED for path in service.__mapping__()}

    async with auth(tmp_path) as address:
        assert expected.keys() == rpcs
        offered = {rpc.partition("/")[0] for rpc in rpcs if ".reflection." not in rpc}
        assert await services(address) == offered
        async with Channel(address.host, address.port, codec=Bytes()) as channel:
            found = {
                rpc: {caller: await status_of(channel, rpc, caller) for caller in COLUMNS}
                for rpc in expected
            }

    assert found == expected


def test_no_rpc_that_asks_about_anyone_is_open_to_a_stranger_or_a_service_kept_from_it() -> None:
    rows = [row for rpc, row in table().items() if not rpc.startswith("grpc.")]

    assert len(rows) >= 11
    assert {(row["anonymous"], row["limited"]) for row in rows} == {
        ("UNAUTHENTICATED", "PERMISSION_DENIED")
    }
