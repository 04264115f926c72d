"""Law of attempts: a path never takes the time of those that may have to answer after it."""

from hypothesis import given
from hypothesis import strategies as st

from catalogsvc.authz.router import attempt_span_s


@given(
    left_s=st.floats(0.001, 100), attempt_timeout_s=st.floats(0.001, 100), after=st.integers(0, 5)
)
def test_paths_that_follow_keep_half_of_the_time(
    left_s: float, attempt_timeout_s: float, after: int
) -> None:
    span_s = attempt_span_s(left_s=left_s, attempt_timeout_s=attempt_timeout_s, paths_after=after)

    assert 0 < span_s <= left_s
    if after:
        assert span_s <= attempt_timeout_s
        assert left_s - span_s >= left_s / 2
