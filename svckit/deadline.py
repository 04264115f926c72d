"""A deadline: a point in monotonic time, made once at the edge and passed down. Pure."""

from dataclasses import dataclass

__all__ = ["Deadline"]


@dataclass(frozen=True, slots=True)
class Deadline:
    """`at` is in seconds on the event loop's clock (`loop.time()`)."""

    at: float

    @classmethod
    def after(cls, timeout_s: float, *, now: float) -> "Deadline":
        return cls(now + timeout_s)

    def left_s(self, now: float) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - now)

    def is_over(self, now: float) -> bool:
        return now >= self.at

    def within(self, span_s: float, *, now: float) -> "Deadline":
        """The earlier of this deadline and `span_s` from now."""
        return Deadline(min(self.at, now + span_s))
