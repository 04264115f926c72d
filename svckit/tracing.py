"""Traces of one service: a provider of its own, passed along and never global.

With an OTLP endpoint set, spans are exported. Without one nothing is recorded for export and
nothing is sent, but each call still has a trace id for the logs, and a caller's context goes on.
"""

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider, sampling
from opentelemetry.trace import NoOpTracer, Tracer, format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from svckit.semconv import SERVICE_NAME, SERVICE_NAMESPACE
from svckit.settings import SettingsError
from svckit.trace_ids import TraceIds

__all__ = ["Tracing", "open_tracing", "current_trace_id"]

EXPORT_TIMEOUT_S = 1.0
SHUTDOWN_TIMEOUT_S = 3.0

SAMPLERS = {
    "always_on": sampling.ALWAYS_ON,
    "always_off": sampling.ALWAYS_OFF,
    "parentbased_always_on": sampling.DEFAULT_ON,
    "parentbased_always_off": sampling.DEFAULT_OFF,
}
RATIO_SAMPLERS: dict[str, type[sampling.TraceIdRatioBased | sampling.ParentBasedTraceIdRatio]] = {
    "traceidratio": sampling.TraceIdRatioBased,
    "parentbased_traceidratio": sampling.ParentBasedTraceIdRatio,
}


class Tracing:
    """The tracer of one service, and the W3C trace context that goes with its calls."""

    def __init__(self, tracer: Tracer, *, provider: TracerProvider | None = None) -> None:
        """`provider` is the one to close, where spans are exported."""
        self.tracer = tracer
        self._provider = provider
        # Trace context only: baggage would carry whatever a stranger puts into it.
        self.propagator = TraceContextTextMapPropagator()

    async def aclose(self) -> None:
        """Sends what is left, for at most 3 s; what is not sent by then is lost."""
        provider = self._provider
        if provider is None:
            return
        loop = asyncio.get_running_loop()
        closed = asyncio.Event()

        def shut_down() -> None:
            provider.shutdown()
            with suppress(RuntimeError):  # too late: the loop is closed
                loop.call_soon_threadsafe(closed.set)

        # Not to_thread: the interpreter waits for pool threads at exit, and this one may take 30 s.
        threading.Thread(target=shut_down, name="tracing-shutdown", daemon=True).start()
        with suppress(TimeoutError):
            await asyncio.wait_for(closed.wait(), SHUTDOWN_TIMEOUT_S)


def open_tracing(
    service_name: str,
    environ: Mapping[str, str],
    *,
    span_processor: SpanProcessor | None = None,
) -> Tracing:
    """Reads the standard OTEL_* names; raises SettingsError when the sampler is not a known one.

    `service.name` is always `service_name`: several services share a process, so OTEL_SERVICE_NAME
    names what they have in common and becomes `service.namespace`. `span_processor` stands in for
    the export that an endpoint would ask for.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Tracing(NoOpTracer())
    exporting = span_processor or _exporting(_endpoint(environ))
    # Made in any case: what is wrong should not wait for an endpoint to be said.
    try:
        provider = TracerProvider(
            sampler=_sampler(environ),
            resource=_resource(service_name, environ),
            shutdown_on_exit=False,
        )
    except ValueError as exc:  # it reads OTEL_* names of its own, and says which is wrong
        raise SettingsError(str(exc)) from exc
    if exporting is None:
        return Tracing(TraceIds())
    provider.add_span_processor(exporting)
    return Tracing(provider.get_tracer("svckit"), provider=provider)


def _resource(service_name: str, environ: Mapping[str, str]) -> Resource:
    attributes = {SERVICE_NAME: service_name}
    if namespace := environ.get("OTEL_SERVICE_NAME", "").strip():
        attributes[SERVICE_NAMESPACE] = namespace
    # The SDK adds OTEL_RESOURCE_ATTRIBUTES; what is given here wins.
    return Resource.create(attributes)


def _endpoint(environ: Mapping[str, str]) -> str:
    """The URL spans are posted to; empty: nowhere."""
    for variable, path in (
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", ""),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/traces"),
    ):
        if url := environ.get(variable, "").strip():
            if not url.startswith(("http://", "https://")):
                raise SettingsError(f"{variable}: must begin with http:// or https://")
            return f"{url.rstrip('/')}{path}" if path else url
    return ""


def _exporting(endpoint: str) -> SpanProcessor | None:
    if not endpoint:
        return None
    # Imported only when used: 40 ms of every start.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(endpoint=endpoint, timeout=EXPORT_TIMEOUT_S)
    try:
        return BatchSpanProcessor(exporter)
    except ValueError as exc:
        raise SettingsError(f"OTEL_BSP_*: {exc}") from exc


def _sampler(environ: Mapping[str, str]) -> sampling.Sampler:
    name = environ.get("OTEL_TRACES_SAMPLER", "").strip().lower() or "parentbased_always_on"
    if sampler := SAMPLERS.get(name):
        return sampler
    kind = RATIO_SAMPLERS.get(name)
    if kind is None:
        known = ", ".join((*SAMPLERS, *RATIO_SAMPLERS))
        raise SettingsError(f"OTEL_TRACES_SAMPLER: must be one of {known}")
    try:
        return kind(float(environ.get("OTEL_TRACES_SAMPLER_ARG", "").strip() or "1.0"))
    except ValueError as exc:
        raise SettingsError("OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1") from exc


def current_trace_id() -> str:
    """Of the call at hand, in hexadecimal; empty outside of one."""
    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else ""
