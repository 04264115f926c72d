"""When to say again in the log what happens again and again. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["RareLines", "Line"]

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Line(Generic[K]):
    """To be said now. `count` times since it was last said; None stands for many other kinds."""

    kind: K | None
    count: int


class RareLines(Generic[K]):
    """Each kind at most once in `period_s`, and no more than `kinds_max` + 1 kinds in that time.

    What a stranger does makes no flood. The last few may go unsaid: a count waits for the next one.
    """

    __slots__ = ("_kinds_max", "_last", "_period_s")

    def __init__(self, *, period_s: float, kinds_max: int) -> None:
        assert kinds_max >= 1, kinds_max
        self._period_s = period_s
        self._kinds_max = kinds_max
        # When each was last said, the oldest first, and how often it has happened since.
        self._last: dict[K | None, tuple[float, int]] = {}

    def __len__(self) -> int:
        return len(self._last)

    def happened(self, kind: K, now: float) -> Line[K] | None:
        """What to say of it, if it is time. `now` is in monotonic seconds."""
        known = kind if kind in self._last or self._has_room(now) else None
        said_at, count = self._last.get(known, (now - self._period_s, 0))
        if now - said_at < self._period_s:
            self._last[known] = (said_at, count + 1)
            return None
        self._last.pop(known, None)
        self._last[known] = (now, 0)
        return Line(known, count + 1)

    def _has_room(self, now: float) -> bool:
        while len(self._last) >= self._kinds_max:
            oldest = next(iter(self._last))
            if now - self._last[oldest][0] < self._period_s:
                return False
            del self._last[oldest]
        return True
