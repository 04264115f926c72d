"""How a call ended, in one word: the gRPC status name. Metrics, spans and logs all say this one."""

import asyncio

from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from svckit.errors import ServiceError
from svckit.rpc import RpcCall
from svckit.status import wire_status

__all__ = ["code_of", "is_failure"]

# On the server the other codes are the caller's doing: a denial or a bad question is no failure.
SERVER_FAILURES = frozenset(
    {
        *(Status.UNKNOWN, Status.DEADLINE_EXCEEDED, Status.UNIMPLEMENTED),
        *(Status.INTERNAL, Status.UNAVAILABLE, Status.DATA_LOSS, Status.CANCELLED),
    }
)


def code_of(error: BaseException | None) -> str:
    """None is "OK"; what no rule names is "UNKNOWN", as gRPC itself would say."""
    return _status_of(error).name


def is_failure(call: RpcCall, code: str) -> bool:
    """Whether the call's span ends as an error (OpenTelemetry's rule, plus CANCELLED)."""
    if call.side == "client":
        return code != "OK"
    return Status[code] in SERVER_FAILURES


def _status_of(error: BaseException | None) -> Status:
    match error:
        case None:
            return Status.OK
        case GRPCError():
            return error.status
        case ServiceError():
            return wire_status(error).grpc
        case asyncio.CancelledError():
            return Status.CANCELLED
        case TimeoutError():  # before OSError, which it also is
            return Status.DEADLINE_EXCEEDED
        case OSError() | StreamTerminatedError():
            return Status.UNAVAILABLE
        case _:
            return Status.UNKNOWN
