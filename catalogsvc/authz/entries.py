"""What is kept of Auth's answers: bounded, the least recently used out first, no timers.

Nothing is looked for when a change comes. Each entry has the revision up to which it is known to be
right, and is used only if nothing that it depends on has changed after that: so a change costs the
same however much is kept, and drops exactly what it touches. Pure.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from catalogsvc.authz.freshness import Freshness, Place

__all__ = ["Entries"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Entries(Generic[K, V]):
    """`place_of` says what a key and its value depend on. `dropped` counts those that changed."""

    __slots__ = ("_entries_max", "_freshness", "_place_of", "by_key", "dropped")

    def __init__(
        self, freshness: Freshness, *, place_of: Callable[[K, V], Place], entries_max: int
    ) -> None:
        assert entries_max >= 1, entries_max
        self._freshness = freshness
        self._place_of = place_of
        self._entries_max = entries_max
        # (until, revision, value), in the order of use; open to who reads it a million times a
        # second, and calls `recheck` when the revision is older than the newest change.
        self.by_key: OrderedDict[K, tuple[float, int, V]] = OrderedDict()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self.by_key)

    def find(self, key: K, *, now: float) -> V | None:
        """The value while the lease holds, its time is not over and nothing has changed."""
        entry = self.by_key.get(key)
        if entry is None or not self._freshness.is_leased(now):
            return None
        if now >= entry[0]:
            del self.by_key[key]
            return None
        if not self.recheck(key, entry):
            return None
        self.by_key.move_to_end(key)
        return entry[2]

    def recheck(self, key: K, entry: tuple[float, int, V]) -> bool:
        """Whether it is right up to the newest change, too; it is noted, or dropped."""
        until, revision, value = entry
        newest = self._freshness.changed_at
        if revision >= newest:
            return True
        if self._freshness.is_touched(self._place_of(key, value), since=revision):
            del self.by_key[key]
            self.dropped += 1
            return False
        self.by_key[key] = (until, newest, value)
        return True

    def put(self, key: K, value: V, *, revision: int, until: float) -> None:
        by_key = self.by_key
        size = len(by_key)
        by_key[key] = (until, revision, value)
        if len(by_key) == size:
            by_key.move_to_end(key)
        elif size == self._entries_max:
            by_key.popitem(last=False)

    def discard(self, key: K) -> bool:
        return self.by_key.pop(key, None) is not None

    def clear(self) -> None:
        self.dropped += len(self.by_key)
        self.by_key.clear()
