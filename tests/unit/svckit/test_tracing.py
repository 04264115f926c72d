import time

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from svckit.settings import SettingsError
from svckit.tracing import Tracing, open_tracing

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_without_an_endpoint_calls_have_trace_ids_and_nothing_is_recorded() -> None:
    span = open_tracing("auth", {}).tracer.start_span("a call")

    assert span.get_span_context().is_valid
    assert not span.is_recording()


def test_without_an_endpoint_a_callers_trace_goes_on_sampled() -> None:
    tracing = open_tracing("auth", {})

    assert _handed_on(tracing, {"traceparent": PARENT}).startswith(PARENT[:36])
    assert _handed_on(tracing, {"traceparent": PARENT}).endswith("-01")


def test_baggage_is_not_handed_on() -> None:
    tracing = open_tracing("auth", {})
    carrier: dict[str, str] = {}

    context = tracing.propagator.extract({"traceparent": PARENT, "baggage": "user=u1"})
    tracing.propagator.inject(carrier, context)

    assert set(carrier) == {"traceparent"}


@pytest.mark.parametrize("value", ["true", " TRUE "])
async def test_a_disabled_sdk_makes_no_spans_and_hands_contexts_on(value: str) -> None:
    tracing = open_tracing("auth", {"OTEL_SDK_DISABLED": value})

    assert not tracing.tracer.start_span("a call").is_recording()
    assert _handed_on(tracing, {"traceparent": PARENT}) == PARENT
    await tracing.aclose()


@pytest.mark.parametrize(
    ("environ", "sampled"),
    [
        ({}, True),
        ({"OTEL_TRACES_SAMPLER": "always_on"}, True),
        ({"OTEL_TRACES_SAMPLER": "ALWAYS_OFF"}, False),
        ({"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, False),
        ({"OTEL_TRACES_SAMPLER": "traceidratio"}, True),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}, False),
        ({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio"}, True),
    ],
)
def test_the_sampler_is_the_one_that_was_asked_for(
    environ: dict[str, str], *, sampled: bool
) -> None:
    exporter = InMemorySpanExporter()
    tracing = open_tracing("auth", environ, span_processor=SimpleSpanProcessor(exporter))

    tracing.tracer.start_span("a call").end()

    assert (len(exporter.get_finished_spans()) == 1) is sampled


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"OTEL_TRACES_SAMPLER": "sometimes"}, "OTEL_TRACES_SAMPLER:"),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"},
            "OTEL_TRACES_SAMPLER_ARG:",
        ),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "half"},
            "OTEL_TRACES_SAMPLER_ARG:",
        ),
    ],
)
def test_a_wrong_sampler_stops_the_start_with_its_name(
    environ: dict[str, str], variable: str
) -> None:
    processor = SimpleSpanProcessor(InMemorySpanExporter())

    with pytest.raises(SettingsError, match=variable):
        open_tracing("auth", environ, span_processor=processor)


def test_the_services_own_name_wins_and_the_shared_one_is_its_namespace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    exporter = InMemorySpanExporter()
    environ = {"OTEL_SERVICE_NAME": "portero"}
    tracing = open_tracing("auth", environ, span_processor=SimpleSpanProcessor(exporter))

    tracing.tracer.start_span("a call").end()

    attributes = exporter.get_finished_spans()[0].resource.attributes
    assert attributes["service.name"] == "auth"
    assert attributes["service.namespace"] == "portero"
    assert attributes["deployment.environment.name"] == "test"


async def test_closing_without_an_endpoint_is_instant_and_may_be_repeated() -> None:
    tracing = open_tracing("auth", {})
    started = time.perf_counter()

    await tracing.aclose()
    await tracing.aclose()

    assert time.perf_counter() - started < 0.5


def _handed_on(tracing: Tracing, metadata: dict[str, str]) -> str:
    carrier: dict[str, str] = {}
    context = tracing.propagator.extract(metadata)
    with tracing.tracer.start_as_current_span("a call", context=context):
        tracing.propagator.inject(carrier)
    return carrier["traceparent"]
