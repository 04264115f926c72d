"""A span for each call: a server's continues the caller's trace, a client's is what it hands on."""

from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from svckit import semconv
from svckit.interceptors.outcome import code_of, is_failure
from svckit.rpc import CallNext, Interceptor, RpcCall
from svckit.tracing import Tracing

__all__ = ["trace_server", "trace_client"]


def trace_server(tracing: Tracing) -> Interceptor:
    async def trace(call: RpcCall, call_next: CallNext, /) -> None:
        if call.is_infrastructure:
            await call_next()
            return
        with tracing.tracer.start_as_current_span(
            call.method,
            context=tracing.propagator.extract(call.metadata),
            kind=SpanKind.SERVER,
            attributes=_attributes(call),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            await _run(span, call, call_next)

    return trace


def trace_client(tracing: Tracing) -> Interceptor:
    async def trace(call: RpcCall, call_next: CallNext, /) -> None:
        with tracing.tracer.start_as_current_span(
            call.method,
            kind=SpanKind.CLIENT,
            attributes=_attributes(call),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            # Only now: the server's parent is this span, not the one around it.
            tracing.propagator.inject(call.metadata)
            await _run(span, call, call_next)

    return trace


async def _run(span: Span, call: RpcCall, call_next: CallNext) -> None:
    try:
        await call_next()
    except BaseException as exc:
        # Cancellation too: OpenTelemetry alone would call a call that was cut off a success.
        _end(span, call, code_of(exc))
        raise
    _end(span, call, "OK")


def _end(span: Span, call: RpcCall, code: str) -> None:
    if not span.is_recording():
        return
    if call.protocol == "grpc":
        span.set_attribute(semconv.RPC_RESPONSE_STATUS_CODE, code)
    if is_failure(call, code):
        span.set_attribute(semconv.ERROR_TYPE, code)
        span.set_status(Status(StatusCode.ERROR, code.lower()))


def _attributes(call: RpcCall) -> dict[str, str]:
    attributes = {semconv.RPC_METHOD: call.method}
    if call.protocol == "grpc":
        attributes[semconv.RPC_SYSTEM_NAME] = "grpc"
    else:
        attributes[semconv.NETWORK_PROTOCOL_NAME] = "http"
    if call.side == "client" and call.peer:
        attributes[semconv.SERVER_ADDRESS] = call.peer
    return attributes
