"""What a handler raises becomes what the wire says, by the one table of `svckit.status`."""

import asyncio
import math
from collections.abc import Callable

from grpclib.exceptions import GRPCError

from svckit.errors import Internal, ServiceError
from svckit.rpc import CallNext, Interceptor, RpcCall
from svckit.status import wire_status

__all__ = ["translate_errors", "trailers_of"]

MESSAGE_CHARS_MAX = 1024
PUSHBACK = "retry-pushback-ms"


def translate_errors(report_bug: Callable[[BaseException], str]) -> Interceptor:
    """Only GRPCError and what ends a task pass; the cause of a GRPCError is what was raised.

    `report_bug` logs an unexpected error and returns the id that the client is shown.
    """

    async def translate(_: RpcCall, call_next: CallNext, /) -> None:
        try:
            await call_next()
        except GRPCError as exc:
            raise GRPCError(exc.status, _printable(exc.message or "")) from exc
        except ServiceError as exc:
            raise _wire_error(exc) from exc
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as exc:
            # Not only Exception: a panic in an extension module is none, and left as it is the
            # client would hear nothing at all until its deadline.
            raise _wire_error(Internal(report_bug(exc))) from exc

    return translate


def trailers_of(error: GRPCError) -> dict[str, str]:
    """The trailing metadata: when to come back, where the error knows."""
    cause = error.__cause__
    if isinstance(cause, ServiceError) and cause.retry_after_s is not None:
        return {PUSHBACK: str(math.ceil(cause.retry_after_s * 1000))}
    return {}


def _wire_error(error: ServiceError) -> GRPCError:
    return GRPCError(wire_status(error).grpc, _printable(error.detail))


def _printable(message: str) -> str:
    """A message too long or with odd characters in it can kill the connection it is sent on."""
    cut = message[:MESSAGE_CHARS_MAX]
    return "".join(char if " " <= char <= "~" else "?" for char in cut)
