"""The three unary RPCs of `auth.proto`, to one target."""

from collections.abc import Callable, Coroutine, Sequence
from importlib.resources import files
from typing import Any, TypeVar

from google.protobuf.descriptor_pool import DescriptorPool
from grpclib.client import Channel, Stream
from grpclib.exceptions import GRPCError

from catalogsvc.authz.answers import read_decision, read_identity
from catalogsvc.authz.call import Clock, run_call
from catalogsvc.authz.channels import ChannelPool
from catalogsvc.authz.confine import confined
from catalogsvc.authz.errors import UnknownUser
from catalogsvc.authz.model import Decision, Identity, LocalQuery, Source
from catalogsvc.authz.outcomes import error_of, grpc_outcome, retry_after_s
from catalogsvc.authz.transport import Failure, PathFailed
from generated import auth
from svckit.codec import ProtobufCodec
from svckit.deadline import Deadline
from svckit.errors import DeadlineExceeded, ServiceError
from svckit.rpc import Interceptor, RpcCall

__all__ = ["GrpcTransport", "open_codec"]

R = TypeVar("R")

# The server is told a deadline a little later than ours, because grpclib enforces what it tells:
# two timers for one moment would make it chance which of them ends the call.
TOLD_LATER_S = 0.05


def open_codec() -> ProtobufCodec:
    """Reads the schema; one codec serves all targets."""
    schema = files("generated").joinpath("portero.binpb").read_bytes()
    return ProtobufCodec(schema, root="generated", pool=DescriptorPool())


class GrpcTransport:
    """A Transport. Owns its pool."""

    __slots__ = ("_clock", "_interceptors", "_peer", "_pool", "name")

    def __init__(
        self, pool: ChannelPool, *, interceptors: Sequence[Interceptor], clock: Clock
    ) -> None:
        self._pool = pool
        self._interceptors = interceptors
        self._clock = clock
        self._peer = str(pool.address)
        self.name = f"grpc://{self._peer}"

    async def validate_local(self, query: LocalQuery, *, deadline: Deadline) -> Decision:
        request = auth.ValidateLocalRequest(
            user_id=query.user_id, organization_id=query.organization_id, local_id=query.local_id
        )
        method = auth.AuthServiceStub.validate_local
        response = await self._call("ValidateLocal", method, request, deadline=deadline)
        return read_decision(
            is_valid=response.is_valid,
            local_name=response.local_name,
            said=response.error_message,
            source=Source.GRPC,
            path=self.name,
        )

    async def verify_token(self, token: str, *, deadline: Deadline) -> Identity:
        request = auth.VerifyTokenRequest(token=token)
        method = auth.AuthServiceStub.verify_token
        response = await self._call("VerifyToken", method, request, deadline=deadline)
        return read_identity(
            token=token,
            is_valid=response.is_valid,
            user_id=response.user_id,
            organization_id=response.organization_id,
            permissions=response.permissions,
            said=response.error_message,
            source=Source.GRPC,
            path=self.name,
        )

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> frozenset[str]:
        request = auth.GetUserPermissionsRequest(user_id=user_id)
        response = await self._call(
            "GetUserPermissions",
            auth.AuthServiceStub.get_user_permissions,
            request,
            deadline=deadline,
            not_found=UnknownUser("Auth knows no such user"),
        )
        return frozenset(response.permissions)

    async def close(self) -> None:
        self._pool.close()

    async def _call(
        self,
        name: str,
        method: Callable[..., Coroutine[None, None, R]],
        request: object,
        *,
        deadline: Deadline,
        not_found: ServiceError | None = None,
    ) -> R:
        call = RpcCall(
            method=f"auth.AuthService/{name}", side="client", peer=self._peer, deadline=deadline
        )
        recorder = _Recorder()

        async def ask() -> R:
            recorder.is_queued = self._pool.is_full
            async with self._pool.lease() as channel:
                recorder.channel = channel
                stub = auth.AuthServiceStub(recorder)  # type: ignore[arg-type] # it is asked for `request` only
                told_s = deadline.left_s(self._clock()) + TOLD_LATER_S
                return await confined(method(stub, request, timeout=told_s, metadata=call.metadata))

        async def ask_or_fail() -> R:
            try:
                return await ask()
            except GRPCError:
                raise  # the interceptors want its status
            except Exception as exc:  # grpclib meets what a peer sends with any exception there is
                raise error_of(grpc_outcome(exc), path=self.name) from exc

        try:
            return await run_call(
                call,
                ask_or_fail,
                deadline=deadline,
                interceptors=self._interceptors,
                clock=self._clock,
            )
        except (GRPCError, DeadlineExceeded) as exc:
            if recorder.is_queued and isinstance(exc, DeadlineExceeded):
                # Some of the time went by in our own queue, which says nothing about the server.
                raise PathFailed(self.name, Failure.NOT_ASKED) from exc
            raise error_of(
                grpc_outcome(exc),
                path=self.name,
                not_found=not_found,
                retry_after_s=recorder.retry_after_s(),
            ) from exc


class _Recorder:
    """Stands in for a Channel and keeps the call's stream, whose trailers betterproto drops."""

    channel: Channel
    is_queued = False
    _stream: "Stream[Any, Any] | None" = None

    def request(self, *args: Any, **kwargs: Any) -> "Stream[Any, Any]":
        self._stream = self.channel.request(*args, **kwargs)
        return self._stream

    def retry_after_s(self) -> float:
        trailers = self._stream.trailing_metadata if self._stream is not None else None
        pushback_ms = trailers.get("retry-pushback-ms") if trailers is not None else None
        return retry_after_s(pushback_ms, unit_s=0.001)
