"""Laws of deadlines: time left only shrinks, and no step outlives the whole."""

from hypothesis import given
from hypothesis import strategies as st

from svckit.deadline import Deadline

moments = st.floats(-1e9, 1e9)
spans = st.floats(0, 1e6)


@given(moments, spans, moments)
def test_over_means_nothing_is_left(made_at: float, timeout_s: float, now: float) -> None:
    deadline = Deadline.after(timeout_s, now=made_at)

    assert deadline.left_s(now) >= 0
    assert deadline.is_over(now) == (deadline.left_s(now) == 0)


@given(moments, moments, spans)
def test_time_left_only_shrinks(at: float, now: float, later_s: float) -> None:
    deadline = Deadline(at)

    assert deadline.left_s(now + later_s) <= deadline.left_s(now)


@given(moments, st.lists(spans, max_size=5), moments)
def test_no_step_outlives_the_whole_or_its_own_span(
    at: float, spans_s: list[float], now: float
) -> None:
    whole = step = Deadline(at)

    for span_s in spans_s:
        step = step.within(span_s, now=now)
        assert step.at <= whole.at
        assert step.at <= now + span_s
