"""The one table of what each failure on the wire means, for gRPC and for REST.

Whatever is not listed as an answer is a failure of the path, so a surprise never decides. Pure.
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
    CredentialRefused,
    InvalidRequest,
)
from catalogsvc.authz.transport import Failure, PathFailed, Unimplemented
from svckit.errors import DeadlineExceeded, MalformedMessage, ServiceError

__all__ = [
    "Outcome",
    "GRPC",
    "HTTP",
    "grpc_outcome",
    "in_band_outcome",
    "stream_outcome",
    "http_outcome",
    "error_of",
    "retry_after_s",
    "in_band_retry_s",
]

RETRY_AFTER_MAX_S = 60.0
PROBLEM = "application/problem+json"


class Outcome(Enum):
    INVALID = auto()  # an answer: the question is malformed
    NOT_FOUND = auto()  # an answer, to the questions that have it
    REFUSED = auto()  # our credential is no good, and no other path would like it better
    OVERLOADED = auto()  # one service behind all paths: another path would add to the load
    UNIMPLEMENTED = auto()  # an older server: the same may be asked in an older way
    TIMED_OUT = auto()
    BROKEN_OFF = auto()
    UNINTELLIGIBLE = auto()


GRPC: Mapping[Status, Outcome] = MappingProxyType(
    {
        # grpclib never raises OK; a library that did would leave us without an answer.
        Status.OK: Outcome.UNINTELLIGIBLE,
        Status.CANCELLED: Outcome.BROKEN_OFF,
        Status.UNKNOWN: Outcome.BROKEN_OFF,
        Status.INVALID_ARGUMENT: Outcome.INVALID,
        Status.DEADLINE_EXCEEDED: Outcome.TIMED_OUT,
        Status.NOT_FOUND: Outcome.NOT_FOUND,
        Status.ALREADY_EXISTS: Outcome.BROKEN_OFF,
        Status.PERMISSION_DENIED: Outcome.REFUSED,
        Status.RESOURCE_EXHAUSTED: Outcome.OVERLOADED,
        Status.FAILED_PRECONDITION: Outcome.BROKEN_OFF,
        Status.ABORTED: Outcome.BROKEN_OFF,
        Status.OUT_OF_RANGE: Outcome.BROKEN_OFF,
        Status.UNIMPLEMENTED: Outcome.UNIMPLEMENTED,
        Status.INTERNAL: Outcome.BROKEN_OFF,
        Status.UNAVAILABLE: Outcome.BROKEN_OFF,
        Status.DATA_LOSS: Outcome.BROKEN_OFF,
        Status.UNAUTHENTICATED: Outcome.REFUSED,
    }
)

HTTP: Mapping[int, Outcome] = MappingProxyType(
    {
        400: Outcome.INVALID,
        401: Outcome.REFUSED,
        403: Outcome.REFUSED,
        404: Outcome.NOT_FOUND,
        413: Outcome.INVALID,
        429: Outcome.OVERLOADED,
        504: Outcome.TIMED_OUT,
    }
)

OF_ONE_QUESTION = frozenset({Outcome.INVALID, Outcome.NOT_FOUND, Outcome.TIMED_OUT})


def grpc_outcome(exc: BaseException) -> Outcome:
    """grpclib shows one outage with many faces, so the exceptions that mean more are listed."""
    match exc:
        case GRPCError():
            return GRPC[exc.status]
        case DeadlineExceeded():
            return Outcome.TIMED_OUT
        case MalformedMessage():
            return Outcome.UNINTELLIGIBLE
        case _:
            return Outcome.BROKEN_OFF


def in_band_outcome(code: int) -> Outcome:
    """Of one question on a stream, by its error_code."""
    try:
        return GRPC[Status(code)]
    except ValueError:
        return Outcome.BROKEN_OFF  # as gRPC itself: a code that nobody knows is UNKNOWN


def stream_outcome(exc: BaseException) -> Outcome:
    """Of each question on a stream that ended: it was not the question that was at fault."""
    outcome = grpc_outcome(exc)
    return Outcome.BROKEN_OFF if outcome in OF_ONE_QUESTION else outcome


def http_outcome(status: int, content_type: str) -> Outcome:
    """The outcome of any status but 200."""
    outcome = HTTP.get(status, Outcome.BROKEN_OFF)
    # A proxy, or a wrong URL, says 400 and 404 too, but not in Auth's own form.
    if outcome in (Outcome.INVALID, Outcome.NOT_FOUND) and content_type != PROBLEM:
        return Outcome.UNINTELLIGIBLE
    return outcome


def error_of(
    outcome: Outcome,
    *,
    path: str,
    not_found: ServiceError | None = None,
    retry_after_s: float = RETRY_AFTER_S,
) -> ServiceError:
    """The error that says it. `not_found` is set for the questions that have such an answer."""
    match outcome:
        case Outcome.INVALID:
            return InvalidRequest("Auth finds the question malformed")
        case Outcome.NOT_FOUND:
            return not_found or AuthProtocolError(
                "Auth answered what this question cannot have", tried=(path,)
            )
        case Outcome.REFUSED:
            return CredentialRefused(path)
        case Outcome.OVERLOADED:
            return AuthUnavailable("Auth is overloaded", tried=(path,), retry_after_s=retry_after_s)
        case Outcome.TIMED_OUT:
            return PathFailed(path, Failure.TIMED_OUT)
        case Outcome.BROKEN_OFF:
            return PathFailed(path, Failure.BROKEN_OFF)
        case Outcome.UNIMPLEMENTED:
            return Unimplemented(path)
        case Outcome.UNINTELLIGIBLE:
            return PathFailed(path, Failure.UNINTELLIGIBLE)
        case _:
            assert_never(outcome)


def retry_after_s(text: str | bytes | None, *, unit_s: float) -> float:
    """Seconds from a header's digits, bounded: a server must not silence us for a day."""
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 9:
        return RETRY_AFTER_S
    return min(int(text) * unit_s, RETRY_AFTER_MAX_S)


def in_band_retry_s(retry_after_ms: int) -> float:
    """As `retry_after_s`, from a message's field, where 0 is no word about it."""
    return min(retry_after_ms / 1000, RETRY_AFTER_MAX_S) if retry_after_ms else RETRY_AFTER_S
