"""One target over gRPC: by access.v1, and by auth.proto where the server is older than that."""

from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import TypeVar

from google.protobuf.descriptor_pool import DescriptorPool

from catalogsvc.authz.access_transport import AccessTransport
from catalogsvc.authz.auth_transport import AuthTransport
from catalogsvc.authz.call import Clock
from catalogsvc.authz.channels import CALLS_PER_CHANNEL_MAX, ChannelPool
from catalogsvc.authz.model import Row
from catalogsvc.authz.rows_transport import RowsTransport
from catalogsvc.authz.transport import Checked, Permitted, Unimplemented, Verified
from catalogsvc.authz.unary import UnaryCalls
from svckit.codec import ProtobufCodec
from svckit.deadline import Deadline
from svckit.rpc import Interceptor

__all__ = ["GrpcTransport", "open_codec"]

A = TypeVar("A")


def open_codec() -> ProtobufCodec:
    """Reads the schema; one codec serves all targets."""
    schema = files("generated").joinpath("portero.binpb").read_bytes()
    return ProtobufCodec(schema, root="generated", pool=DescriptorPool())


class GrpcTransport:
    """A Transport. Owns its pool."""

    __slots__ = ("_access", "_auth", "_old_as_of", "_pool", "name")

    def __init__(
        self, pool: ChannelPool, *, interceptors: Sequence[Interceptor], clock: Clock
    ) -> None:
        self.name = f"grpc://{pool.address}"
        self._pool = pool
        calls = UnaryCalls(pool, name=self.name, interceptors=interceptors, clock=clock)
        rows = RowsTransport(pool, name=self.name, interceptors=interceptors, clock=clock)
        self._access = AccessTransport(calls, rows)
        # As many rows at once as there is room for.
        self._auth = AuthTransport(calls, rows_at_once_max=CALLS_PER_CHANNEL_MAX * len(pool.lanes))
        # The server had no access.v1 when the channels had reconnected so often; None: it has.
        self._old_as_of: int | None = None

    async def check_locals(self, rows: Sequence[Row], *, deadline: Deadline) -> Checked:
        return await self._ask(lambda wire: wire.check_locals(rows, deadline=deadline))

    async def verify_token(self, token: str, *, deadline: Deadline) -> Verified:
        return await self._ask(lambda wire: wire.verify_token(token, deadline=deadline))

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> Permitted:
        return await self._ask(lambda wire: wire.get_user_permissions(user_id, deadline=deadline))

    async def close(self) -> None:
        try:
            await self._access.close()
        finally:
            self._pool.close()

    async def _ask(self, question: Callable[[AccessTransport | AuthTransport], Awaitable[A]]) -> A:
        # An older server does not learn access.v1 while a connection to it stands.
        reconnects = self._pool.reconnects
        if self._old_as_of != reconnects:
            try:
                return await question(self._access)
            except Unimplemented:
                self._old_as_of = reconnects
        return await question(self._auth)
