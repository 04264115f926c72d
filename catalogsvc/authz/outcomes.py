"""The one table of what each failure on the wire means, for gRPC and for REST.

Whatever is not listed as an answer is a failure of the path, so a surprise never decides.
"""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import assert_never

from grpclib.const import Status
from grpclib.exceptions import GRPCError

from catalogsvc.authz.errors import (
    RETRY_AFTER_S,
    AuthProtocolError,
    AuthUnavailable,
    InvalidRequest,
)
from catalogsvc.authz.transport import Failure, PathFailed
from svckit.errors import DeadlineExceeded, MalformedMessage, ServiceError

__all__ = ["Verdict", "GRPC", "HTTP", "grpc_verdict", "http_verdict", "error_of", "retry_after_s"]

_RETRY_AFTER_MAX_S = 60.0


class Verdict(Enum):
    INVALID = auto()  # an answer: the question is malformed
    NOT_FOUND = auto()  # an answer, to the questions that have it
    REFUSED = auto()  # our credential is no good, and no other path would like it better
    OVERLOADED = auto()  # one service behind all paths: another path would add to the load
    TIMED_OUT = auto()
    BROKEN_OFF = auto()
    UNINTELLIGIBLE = auto()


GRPC: Mapping[Status, Verdict] = MappingProxyType(
    {
        # grpclib never raises OK; a library that did would leave us without an answer.
        Status.OK: Verdict.UNINTELLIGIBLE,
        Status.CANCELLED: Verdict.BROKEN_OFF,
        Status.UNKNOWN: Verdict.BROKEN_OFF,
        Status.INVALID_ARGUMENT: Verdict.INVALID,
        Status.DEADLINE_EXCEEDED: Verdict.TIMED_OUT,
        Status.NOT_FOUND: Verdict.NOT_FOUND,
        Status.ALREADY_EXISTS: Verdict.BROKEN_OFF,
        Status.PERMISSION_DENIED: Verdict.REFUSED,
        Status.RESOURCE_EXHAUSTED: Verdict.OVERLOADED,
        Status.FAILED_PRECONDITION: Verdict.BROKEN_OFF,
        Status.ABORTED: Verdict.BROKEN_OFF,
        Status.OUT_OF_RANGE: Verdict.BROKEN_OFF,
        Status.UNIMPLEMENTED: Verdict.BROKEN_OFF,
        Status.INTERNAL: Verdict.BROKEN_OFF,
        Status.UNAVAILABLE: Verdict.BROKEN_OFF,
        Status.DATA_LOSS: Verdict.BROKEN_OFF,
        Status.UNAUTHENTICATED: Verdict.REFUSED,
    }
)

HTTP: Mapping[int, Verdict] = MappingProxyType(
    {
        400: Verdict.INVALID,
        401: Verdict.REFUSED,
        403: Verdict.REFUSED,
        404: Verdict.NOT_FOUND,
        413: Verdict.INVALID,
        429: Verdict.OVERLOADED,
        504: Verdict.TIMED_OUT,
    }
)


def grpc_verdict(exc: Exception) -> Verdict:
    """grpclib shows one outage with many faces, so the exceptions that mean more are listed."""
    match exc:
        case GRPCError():
            return GRPC[exc.status]
        case DeadlineExceeded():
            return Verdict.TIMED_OUT
        case MalformedMessage():
            return Verdict.UNINTELLIGIBLE
        case _:
            return Verdict.BROKEN_OFF


def http_verdict(status: int, content_type: str) -> Verdict:
    """The verdict of any status but 200."""
    verdict = HTTP.get(status, Verdict.BROKEN_OFF)
    # A proxy, or a wrong URL, says 400 and 404 too, but not in Auth's own form.
    if verdict in (Verdict.INVALID, Verdict.NOT_FOUND) and content_type != _PROBLEM:
        return Verdict.UNINTELLIGIBLE
    return verdict


_PROBLEM = "application/problem+json"


def error_of(
    verdict: Verdict,
    *,
    path: str,
    not_found: ServiceError | None = None,
    retry_after_s: float = RETRY_AFTER_S,
) -> ServiceError:
    """The error that says it. `not_found` is set for the questions that have such an answer."""
    match verdict:
        case Verdict.INVALID:
            return InvalidRequest("Auth finds the question malformed")
        case Verdict.NOT_FOUND:
            return not_found or AuthProtocolError(
                "Auth answered what this question cannot have", tried=(path,)
            )
        case Verdict.REFUSED:
            return AuthProtocolError("Auth refuses this service's credential", tried=(path,))
        case Verdict.OVERLOADED:
            return AuthUnavailable("Auth is overloaded", tried=(path,), retry_after_s=retry_after_s)
        case Verdict.TIMED_OUT:
            return PathFailed(path, Failure.TIMED_OUT)
        case Verdict.BROKEN_OFF:
            return PathFailed(path, Failure.BROKEN_OFF)
        case Verdict.UNINTELLIGIBLE:
            return PathFailed(path, Failure.UNINTELLIGIBLE)
        case _:
            assert_never(verdict)


def retry_after_s(text: str | bytes | None, *, unit_s: float) -> float:
    """Seconds from a header's digits, bounded: a server must not silence us for a day."""
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 9:
        return RETRY_AFTER_S
    return min(int(text) * unit_s, _RETRY_AFTER_MAX_S)
