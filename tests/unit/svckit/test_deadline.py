"""A deadline: a point in time that nothing on the way can move back."""

import pytest

from svckit.deadline import Deadline


def test_a_deadline_is_its_span_from_now() -> None:
    assert Deadline.after(5.0, now=100.0) == Deadline(105.0)


@pytest.mark.parametrize(
    ("now", "left_s"), [(100.0, 5.0), (104.5, 0.5), (105.0, 0.0), (200.0, 0.0)]
)
def test_what_is_left_is_never_negative(now: float, left_s: float) -> None:
    assert Deadline(105.0).left_s(now) == left_s


@pytest.mark.parametrize(("now", "is_over"), [(104.9, False), (105.0, True), (105.1, True)])
def test_a_deadline_is_over_when_its_moment_comes(now: float, *, is_over: bool) -> None:
    assert Deadline(105.0).is_over(now) is is_over


def test_a_step_gets_its_own_span_or_what_is_left() -> None:
    deadline = Deadline(105.0)

    assert deadline.within(1.0, now=100.0) == Deadline(101.0)
    assert deadline.within(9.0, now=100.0) == deadline
