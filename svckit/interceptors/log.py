"""One log line for each call, when it has ended."""

import logging
import time
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from svckit.cause import cause_of
from svckit.interceptors.outcome import code_of
from svckit.rpc import CallNext, Interceptor, RpcCall

__all__ = ["log_calls"]


def log_calls(
    log: FilteringBoundLogger, *, clock: Callable[[], float] = time.perf_counter
) -> Interceptor:
    """INFO whatever the outcome: a bug has an ERROR line of its own, all else is daily business.

    `clock` is not the loop's, which counts whole milliseconds under uvloop.
    """

    async def log_call(call: RpcCall, call_next: CallNext, /) -> None:
        started = clock()
        try:
            await call_next()
        except BaseException as exc:
            _write(log, call, code_of(exc), clock() - started, cause=cause_of(exc))
            raise
        _write(log, call, "OK", clock() - started)

    return log_call


def _write(
    log: FilteringBoundLogger, call: RpcCall, code: str, duration_s: float, *, cause: str = ""
) -> None:
    level = logging.DEBUG if call.is_infrastructure or call.is_on_stream else logging.INFO
    if not log.is_enabled_for(level):
        return
    facts = {
        "side": call.side,
        "method": call.method,
        "code": code,
        "duration_ms": round(duration_s * 1000, 3),
    }
    if call.caller:
        facts["caller"] = call.caller
    if cause:
        facts["cause"] = cause
    if call.protocol != "grpc":
        facts["protocol"] = call.protocol
    if log.is_enabled_for(logging.DEBUG):
        facts["peer"] = call.peer
    log.log(level, "rpc", **facts)
