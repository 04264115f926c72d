import pytest
from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)

from svckit.trace_ids import TraceIds

PARENT = SpanContext(
    trace_id=0x0AF7651916CD43DD8448EB211C80319C,
    span_id=0xB7AD6B7169203331,
    is_remote=True,
    trace_flags=TraceFlags(TraceFlags.SAMPLED),
    trace_state=TraceState([("vendor", "1")]),
)
OF_PARENT = set_span_in_context(NonRecordingSpan(PARENT), Context())


def test_a_callers_trace_goes_on_with_its_flags_and_state() -> None:
    context = TraceIds().start_span("a call", OF_PARENT).get_span_context()

    assert context.trace_id == PARENT.trace_id
    assert context.trace_flags == PARENT.trace_flags
    assert context.trace_state == PARENT.trace_state
    assert context.span_id != PARENT.span_id
    assert context.is_valid
    assert not context.is_remote


def test_a_trace_that_begins_here_is_not_sampled() -> None:
    context = TraceIds().start_span("a call", Context()).get_span_context()

    assert context.is_valid
    assert not context.trace_flags.sampled
    assert not context.trace_state


def test_each_has_ids_of_its_own() -> None:
    tracer = TraceIds()
    new = [tracer.start_span("a call", Context()).get_span_context() for _ in range(100)]
    handed_on = [tracer.start_span("a call", OF_PARENT).get_span_context() for _ in range(100)]

    assert len({context.trace_id for context in new}) == 100
    assert len({context.span_id for context in new + handed_on}) == 200


def test_nothing_is_recorded() -> None:
    assert not TraceIds().start_span("a call", OF_PARENT).is_recording()


def test_the_current_span_is_the_calls_as_long_as_it_runs() -> None:
    tracer = TraceIds()

    with tracer.start_as_current_span("a call", OF_PARENT) as outer:
        assert get_current_span() is outer
        with tracer.start_as_current_span("one inside") as inner:
            assert get_current_span() is inner
            assert inner.get_span_context().trace_id == PARENT.trace_id
        assert get_current_span() is outer

    assert get_current_span() is INVALID_SPAN


def test_an_error_passes_and_ends_it() -> None:
    with pytest.raises(LookupError), TraceIds().start_as_current_span("a call"):
        raise LookupError

    assert get_current_span() is INVALID_SPAN
