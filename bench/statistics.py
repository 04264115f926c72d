"""What many figures come to: percentiles of a measurement, medians and ranges of repeats. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Latency", "latency", "percentile", "Spread", "spread", "ratios"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """In microseconds; zeros when nothing was measured."""

    p50_us: float
    p95_us: float
    p99_us: float
    max_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The median of repeats, and the least and the greatest of them."""

    median: float
    low: float
    high: float


def percentile(ordered: Sequence[float], percent: float) -> float:
    """By nearest rank: a figure that was measured. `ordered` ascends and is not empty."""
    assert ordered
    assert 0 < percent <= 100
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]


def latency(spans_s: Sequence[float]) -> Latency:
    if not spans_s:
        return Latency(p50_us=0.0, p95_us=0.0, p99_us=0.0, max_us=0.0)
    ordered = sorted(spans_s)
    return Latency(
        p50_us=percentile(ordered, 50) * 1e6,
        p95_us=percentile(ordered, 95) * 1e6,
        p99_us=percentile(ordered, 99) * 1e6,
        max_us=ordered[-1] * 1e6,
    )


def spread(figures: Sequence[float]) -> Spread:
    """Of at least one figure."""
    ordered = sorted(figures)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return Spread(median=median, low=ordered[0], high=ordered[-1])


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Repeat by repeat: the two of one repeat were measured one right after the other."""
    assert len(ours) == len(theirs)
    return spread(
        [our / their if their else math.inf for our, their in zip(ours, theirs, strict=True)]
    )
