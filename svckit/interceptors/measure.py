"""Counts gRPC calls and measures how long they take, on the side that makes or serves them."""

import time
from collections.abc import Callable

from svckit.interceptors.outcome import code_of
from svckit.metrics import Metrics
from svckit.rpc import CallNext, Interceptor, RpcCall

__all__ = ["measure_calls"]


def measure_calls(
    metrics: Metrics, *, clock: Callable[[], float] = time.perf_counter
) -> Interceptor:
    """Calls over HTTP are not counted here: the metrics say gRPC, and would lie.

    `clock` is not the loop's, which counts whole milliseconds under uvloop.
    """

    async def measure(call: RpcCall, call_next: CallNext, /) -> None:
        if call.protocol != "grpc":
            await call_next()
            return
        started = clock()
        code = "OK"
        try:
            await call_next()
        except BaseException as exc:
            code = code_of(exc)
            raise
        finally:
            metrics.rpc_ended(
                method=call.method,
                code=code,
                # How long a stream stays open is its client's affair; the hours of one would drown
                # the calls of the same method that are made on it.
                duration_s=None if call.is_streaming else clock() - started,
            )

    return measure
