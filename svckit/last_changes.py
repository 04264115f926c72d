"""When something last changed, by revision, for as many keys as there is room for. Pure."""

from collections import OrderedDict

__all__ = ["LastChanges"]


class LastChanges:
    """A revision for each key; one that was never noted, or fell off the end, has the floor's.

    The floor only rises: what was forgotten counts as changed at the latest revision that fell off.
    So `at` may say too much, which costs a needless question, but never too little.
    """

    __slots__ = ("_floor", "_keys_max", "_revisions")

    def __init__(self, *, keys_max: int) -> None:
        assert keys_max >= 1, keys_max
        self._keys_max = keys_max
        self._floor = 0
        self._revisions: OrderedDict[str, int] = OrderedDict()

    def at(self, key: str) -> int:
        """No change of `key` was noted after this revision."""
        return self._revisions.get(key, self._floor)

    def note(self, key: str, revision: int) -> None:
        """Revisions are noted in their order; an older one than is known changes nothing."""
        if revision <= self.at(key):
            return
        self._revisions[key] = revision
        self._revisions.move_to_end(key)
        if len(self._revisions) > self._keys_max:
            _, forgotten = self._revisions.popitem(last=False)
            self._floor = max(self._floor, forgotten)

    def reset(self, floor: int) -> None:
        """Forgets all keys: of what happened up to `floor` nothing is known."""
        self._revisions.clear()
        self._floor = floor
