"""One question, one answer: a unary RPC on whatever channel has room."""

from collections.abc import Sequence
from typing import TypeVar

from grpclib.client import Stream
from grpclib.const import Cardinality
from grpclib.exceptions import GRPCError

from catalogsvc.authz.call import Clock, run_call
from catalogsvc.authz.channels import ChannelPool
from catalogsvc.authz.confine import confined
from catalogsvc.authz.outcomes import error_of, grpc_outcome, retry_after_s
from catalogsvc.authz.transport import Failure, PathFailed
from svckit.deadline import Deadline
from svckit.errors import DeadlineExceeded, MalformedMessage, ServiceError
from svckit.rpc import Interceptor, RpcCall

__all__ = ["UnaryCalls", "TOLD_LATER_S"]

R = TypeVar("R")

# The server is told a deadline a little later than ours, because grpclib enforces what it tells:
# two timers for one moment would make it chance which of them ends the call.
TOLD_LATER_S = 0.05


class UnaryCalls:
    """To one target, whose `name` its errors carry."""

    __slots__ = ("_clock", "_interceptors", "_peer", "_pool", "name")

    def __init__(
        self, pool: ChannelPool, *, name: str, interceptors: Sequence[Interceptor], clock: Clock
    ) -> None:
        self._pool = pool
        self._interceptors = interceptors
        self._clock = clock
        self._peer = str(pool.address)
        self.name = name

    async def ask(
        self,
        method: str,
        request: object,
        response_type: type[R],
        *,
        deadline: Deadline,
        not_found: ServiceError | None = None,
    ) -> R:
        """`method` is "auth.AuthService/ValidateLocal". Raises as Transport, and Unimplemented."""
        call = RpcCall(method=method, side="client", peer=self._peer, deadline=deadline)
        attempt = _Attempt(self._pool, call, self._clock)
        try:
            return await run_call(
                call,
                lambda: self._ask_or_fail(attempt, request, response_type),
                deadline=deadline,
                interceptors=self._interceptors,
                clock=self._clock,
            )
        except (GRPCError, DeadlineExceeded) as exc:
            if attempt.is_queued and isinstance(exc, DeadlineExceeded):
                # Some of the time went by in our own queue, which says nothing about the server.
                raise PathFailed(self.name, Failure.NOT_ASKED) from exc
            raise error_of(
                grpc_outcome(exc),
                path=self.name,
                not_found=not_found,
                retry_after_s=attempt.retry_after_s(),
            ) from exc

    async def _ask_or_fail(self, attempt: "_Attempt", request: object, response_type: type[R]) -> R:
        try:
            return await attempt.ask(request, response_type)
        except GRPCError:
            raise  # the interceptors want its status
        except Exception as exc:  # grpclib meets what a peer sends with any exception there is
            raise error_of(grpc_outcome(exc), path=self.name) from exc


class _Attempt:
    """Keeps the call's stream, which has the trailers of an error."""

    def __init__(self, pool: ChannelPool, call: RpcCall, clock: Clock) -> None:
        self._pool = pool
        self._call = call
        self._clock = clock
        self._stream: Stream[object, object] | None = None
        self.is_queued = False

    async def ask(self, request: object, response_type: type[R]) -> R:
        call = self._call
        assert call.deadline is not None
        self.is_queued = self._pool.is_full
        async with self._pool.lease() as channel:
            self._stream = stream = channel.request(
                f"/{call.method}",
                Cardinality.UNARY_UNARY,
                type(request),
                response_type,
                timeout=call.deadline.left_s(self._clock()) + TOLD_LATER_S,
                metadata=call.metadata,
            )
            return await confined(_exchange(stream, request))

    def retry_after_s(self) -> float:
        trailers = self._stream.trailing_metadata if self._stream is not None else None
        pushback_ms = trailers.get("retry-pushback-ms") if trailers is not None else None
        return retry_after_s(pushback_ms, unit_s=0.001)


async def _exchange(stream: Stream[object, R], request: object) -> R:
    async with stream:
        await stream.send_message(request, end=True)
        response = await stream.recv_message()
        if response is None:
            raise MalformedMessage("the server said OK, and nothing else")
        return response
