"""A span for each call: a server's continues the caller's trace, a client's is what it hands on."""

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

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
        # Looking for what is not there takes the propagator longer than all the rest.
        parent = tracing.propagator.extract(call.metadata) if call.metadata else None
        await _run(_start(tracing, call, SpanKind.SERVER, parent), call, call_next, parent)

    return trace


def trace_client(tracing: Tracing) -> Interceptor:
    async def trace(call: RpcCall, call_next: CallNext, /) -> None:
        async def inject_and_go_on() -> None:
            # Only now: the server's parent is this span, not the one around it.
            tracing.propagator.inject(call.metadata)
            await call_next()

        await _run(_start(tracing, call, SpanKind.CLIENT), call, inject_and_go_on)

    return trace


def _start(tracing: Tracing, call: RpcCall, kind: SpanKind, parent: Context | None = None) -> Span:
    return tracing.tracer.start_span(
        call.method, context=parent, kind=kind, attributes=_attributes(call)
    )


async def _run(
    span: Span, call: RpcCall, call_next: CallNext, parent: Context | None = None
) -> None:
    # As OpenTelemetry's own context manager does, which costs as much again.
    token = attach(set_span_in_context(span, parent))
    try:
        await call_next()
    except BaseException as exc:
        # Cancellation too: OpenTelemetry alone would call a call that was cut off a success.
        _end(span, call, code_of(exc))
        raise
    else:
        _end(span, call, "OK")
    finally:
        detach(token)
        span.end()


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
