"""What we lean on in OpenTelemetry, so that an upgrade cannot surprise us."""

import asyncio
import inspect

import pytest
from opentelemetry.sdk._shared_internal import BatchProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider, sampling
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode


def test_a_dropped_span_still_has_a_trace_id() -> None:
    provider = TracerProvider(sampler=sampling.DEFAULT_OFF, shutdown_on_exit=False)

    span = provider.get_tracer("test").start_span("a call")

    assert span.get_span_context().is_valid
    assert not span.is_recording()


def test_a_cancelled_span_would_end_as_a_success() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    with (
        pytest.raises(asyncio.CancelledError),
        provider.get_tracer("test").start_as_current_span("a call"),
    ):
        raise asyncio.CancelledError

    assert exporter.get_finished_spans()[0].status.status_code is StatusCode.UNSET


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shared")

    assert Resource.create({"service.name": "auth"}).attributes["service.name"] == "auth"


def test_shutting_down_takes_up_to_30_s_and_cannot_be_told_otherwise() -> None:
    # Hence the daemon thread: the span processor passes no bound on.
    assert list(inspect.signature(BatchSpanProcessor.shutdown).parameters) == ["self"]
    assert inspect.signature(BatchProcessor.shutdown).parameters["timeout_millis"].default == 30_000


def test_a_provider_would_shut_down_at_exit_unless_told_not_to() -> None:
    assert inspect.signature(TracerProvider).parameters["shutdown_on_exit"].default is True
