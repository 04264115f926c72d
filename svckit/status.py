"""The one table of how each failure looks on both wires, gRPC and REST. Pure."""

from dataclasses import dataclass

from grpclib.const import Status

from svckit import errors

__all__ = ["WireStatus", "TABLE", "wire_status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireStatus:
    """How one kind of failure is said: gRPC status, HTTP status, RFC 9457 title."""

    grpc: Status
    http: int
    title: str


TABLE: dict[type[errors.ServiceError], WireStatus] = {
    errors.InvalidRequest: WireStatus(
        grpc=Status.INVALID_ARGUMENT, http=400, title="Invalid request"
    ),
    errors.TooLarge: WireStatus(grpc=Status.RESOURCE_EXHAUSTED, http=413, title="Too large"),
    errors.Unauthenticated: WireStatus(
        grpc=Status.UNAUTHENTICATED, http=401, title="Unauthenticated"
    ),
    errors.Forbidden: WireStatus(grpc=Status.PERMISSION_DENIED, http=403, title="Forbidden"),
    errors.NotFound: WireStatus(grpc=Status.NOT_FOUND, http=404, title="Not found"),
    errors.Conflict: WireStatus(grpc=Status.ALREADY_EXISTS, http=409, title="Conflict"),
    errors.PreconditionFailed: WireStatus(
        grpc=Status.FAILED_PRECONDITION, http=412, title="Precondition failed"
    ),
    errors.Overloaded: WireStatus(grpc=Status.RESOURCE_EXHAUSTED, http=429, title="Overloaded"),
    errors.Unavailable: WireStatus(grpc=Status.UNAVAILABLE, http=503, title="Unavailable"),
    errors.DeadlineExceeded: WireStatus(
        grpc=Status.DEADLINE_EXCEEDED, http=504, title="Deadline exceeded"
    ),
    errors.Internal: WireStatus(grpc=Status.INTERNAL, http=500, title="Internal error"),
}


def wire_status(error: errors.ServiceError) -> WireStatus:
    """The row of the error's own type, or of its nearest parent in the table."""
    for kind in type(error).__mro__:
        if row := TABLE.get(kind):
            return row
    raise AssertionError(f"{type(error).__name__} has no row in the status table")
