"""A tracer for where nothing is exported: each call has a trace id for the logs, and no record.

OpenTelemetry's own does the same for three times the cost, which is a tenth of a short call.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Tracer,
    get_current_span,
    use_span,
)
from opentelemetry.util.types import Attributes

__all__ = ["TraceIds"]


class TraceIds(Tracer):
    """A caller's trace goes on with its flags; one that begins here is not sampled."""

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        parent = get_current_span(context).get_span_context()
        span_id = random.getrandbits(64) or 1
        if not parent.is_valid:
            trace_id = random.getrandbits(128) or 1
            return NonRecordingSpan(SpanContext(trace_id, span_id, is_remote=False))
        return NonRecordingSpan(
            SpanContext(
                parent.trace_id,
                span_id,
                is_remote=False,
                trace_flags=parent.trace_flags,
                trace_state=parent.trace_state,
            )
        )

    @contextmanager
    def start_as_current_span(  # type: ignore[override] # OpenTelemetry's is a decorator too
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[Span]:
        with use_span(self.start_span(name, context)) as span:
            yield span
