"""Telemetry that keeps what it is told, so that a test can look at it."""

from dataclasses import dataclass, field

import structlog
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import LogCapture
from structlog.typing import EventDict

from svckit.logs import add_trace_id, redact
from svckit.metrics import Metrics
from svckit.telemetry import Telemetry
from svckit.tracing import open_tracing

__all__ = ["Seen"]


@dataclass(slots=True)
class Seen:
    """Records every span, log line (DEBUG included) and measurement of `telemetry`."""

    service_name: str = "auth"
    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    capture: LogCapture = field(default_factory=LogCapture)
    telemetry: Telemetry = field(init=False)

    def __post_init__(self) -> None:
        self.telemetry = Telemetry(
            service_name=self.service_name,
            tracing=open_tracing(
                self.service_name, {}, span_processor=SimpleSpanProcessor(self.exporter)
            ),
            metrics=Metrics(),
            log=structlog.wrap_logger(
                None,
                processors=[add_trace_id, redact, self.capture],
                wrapper_class=structlog.make_filtering_bound_logger(0),
                context_class=dict,
            ).bind(service=self.service_name),
        )

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def span(self) -> ReadableSpan:
        """The only one."""
        (span,) = self.spans
        return span

    def lines(self, event: str) -> list[EventDict]:
        return [entry for entry in self.capture.entries if entry["event"] == event]

    def count(self, name: str, **labels: str) -> float:
        """The value of one series; 0 when there is none."""
        value = self.telemetry.metrics.registry.get_sample_value(name, labels)
        return 0.0 if value is None else value
