"""The newest changes in memory: telling them to any number of clients reads nothing. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import attrgetter

from authsvc.changes import Change, ChangePage

__all__ = ["ChangeLog"]

# What somebody who must forget everything is told of the time before: it may spare them some of
# the forgetting, and never needs to be all.
HISTORY_MAX = 1_000

REVISION = attrgetter("revision")


class ChangeLog:
    """All changes after `floor` up to `revision`; at most `rows_max` of them.

    A revision is kept whole or not at all.
    """

    __slots__ = ("_changes", "_database_id", "_floor", "_revision", "_rows_max")

    def __init__(self, *, rows_max: int) -> None:
        self._rows_max = rows_max
        self._changes: list[Change] = []
        self._database_id = ""
        self._floor = 0
        self._revision = 0

    def start(self, page: ChangePage) -> None:
        """Forgets all and starts again from this page."""
        self._database_id = page.database_id
        self._floor = page.after
        self._changes = []
        self.extend(page.changes, page.revision)

    def extend(self, changes: Sequence[Change], revision: int) -> None:
        """All changes after those that are held, up to `revision`."""
        self._changes += changes
        self._revision = revision
        excess = len(self._changes) - self._rows_max
        if excess > 0:
            self._floor = self._changes[excess - 1].revision
            del self._changes[: bisect_right(self._changes, self._floor, key=REVISION)]

    @property
    def revision(self) -> int:
        return self._revision

    @property
    def database_id(self) -> str:
        return self._database_id

    def since(self, database_id: str, after: int, *, rows_max: int) -> ChangePage:
        """The next changes after these, `rows_max` at most unless a single revision has more.

        `revision` is that of the log when these are all. A gap page when not all changes since
        then are held.
        """
        is_gap = database_id != self._database_id or not self._floor <= after <= self._revision
        if is_gap:
            after = self._history_floor()
        first = bisect_right(self._changes, after, key=REVISION)
        end = self._end_of_part(first, rows_max)
        is_all = end == len(self._changes)
        return ChangePage(
            database_id=self._database_id,
            after=after,
            revision=self._revision if is_all else self._changes[end - 1].revision,
            changes=tuple(self._changes[first:end]),
            is_gap=is_gap,
        )

    def _end_of_part(self, first: int, rows_max: int) -> int:
        """Between two revisions: a part that ends within one could not say up to where it goes."""
        end = first + rows_max
        if end >= len(self._changes):
            return len(self._changes)
        next_revision = self._changes[end].revision
        end = bisect_left(self._changes, next_revision, key=REVISION)
        if end > first:
            return end
        return bisect_right(self._changes, next_revision, key=REVISION)

    def _history_floor(self) -> int:
        excess = len(self._changes) - HISTORY_MAX
        return self._changes[excess - 1].revision if excess > 0 else self._floor
