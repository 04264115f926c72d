"""The real transports in one line, and a deadline and a row to ask them with."""

import asyncio

from catalogsvc.authz.channels import ChannelPool
from catalogsvc.authz.grpc_transport import GrpcTransport, open_codec
from catalogsvc.authz.model import LocalQuery, Row
from catalogsvc.authz.rest_transport import RestTransport
from svckit.address import Address
from svckit.deadline import Deadline
from svckit.rpc import CallNext, Interceptor, RpcCall

__all__ = ["QUERY", "ROW", "add_key", "open_grpc", "open_rest", "row", "soon"]

ROW: Row = ("u1", "o1", "l1")
QUERY = LocalQuery(user_id="u1", organization_id="o1", local_id="l1")


def row(number: int) -> Row:
    return (f"u{number}", "o1", "l1")


def soon(timeout_s: float = 5.0) -> Deadline:
    return Deadline.after(timeout_s, now=asyncio.get_running_loop().time())


async def add_key(call: RpcCall, call_next: CallNext) -> None:
    call.metadata["authorization"] = "Bearer service-key"
    await call_next()


def open_grpc(target: str, *interceptors: Interceptor, channels: int = 2) -> GrpcTransport:
    pool = ChannelPool(Address.parse(target), size=channels, codec=open_codec())
    clock = asyncio.get_running_loop().time
    return GrpcTransport(pool, interceptors=(add_key, *interceptors), clock=clock)


def open_rest(url: str) -> RestTransport:
    return RestTransport(url, interceptors=(add_key,), clock=asyncio.get_running_loop().time)
