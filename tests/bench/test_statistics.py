"""The figures of a report are those that were measured."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics import Spread, latency, percentile, ratios, spread

figures = st.lists(st.floats(0, 1e9), min_size=1)


@given(figures, st.floats(0.001, 100))
def test_a_percentile_was_measured_and_that_share_is_not_above_it(
    measured: list[float], percent: float
) -> None:
    ordered = sorted(measured)

    found = percentile(ordered, percent)

    assert found in measured
    assert sum(figure <= found for figure in ordered) >= len(ordered) * percent / 100 - 1e-9


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (95, 95), (99, 99), (100, 100)])
def test_of_a_hundred_the_percentile_is_the_one_of_that_rank(percent: int, expected: int) -> None:
    assert percentile(range(1, 101), percent) == expected


def test_a_latency_is_in_microseconds_and_in_no_order_beforehand() -> None:
    found = latency([0.003, 0.001, 0.002])

    assert (round(found.p50_us), round(found.max_us)) == (2000, 3000)


def test_nothing_measured_is_no_error() -> None:
    assert latency([]).p99_us == 0


@given(figures)
def test_a_spread_holds_all_that_was_measured(measured: list[float]) -> None:
    found = spread(measured)

    assert found.low == min(measured)
    assert found.high == max(measured)
    assert found.low <= found.median <= found.high


@pytest.mark.parametrize(("measured", "median"), [([3, 1, 2], 2), ([4, 1, 2, 3], 2.5), ([7], 7)])
def test_the_median_is_the_middle(measured: list[float], median: float) -> None:
    assert spread(measured).median == median


def test_ratios_are_taken_repeat_by_repeat() -> None:
    # The medians alone would say 1: here each repeat says 2, whatever else the machine did.
    assert ratios([2, 20, 200], [1, 10, 100]) == Spread(median=2, low=2, high=2)


def test_a_baseline_that_answered_nothing_makes_no_error_of_the_report() -> None:
    assert ratios([1], [0]).median == math.inf
