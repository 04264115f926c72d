"""From what was read of the change log to the page that tells it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from authsvc.changes import Change, ChangePage

__all__ = ["CHANGES_MAX", "HISTORY_MAX", "FeedRead", "rows_max", "page_of"]

# Of a page that goes on from where its reader stands, and of one that starts anew.
CHANGES_MAX = 10_000
HISTORY_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRead:
    """`newest` is the end of the log, newest first, as of one moment with the rest.

    It has one row more than may be told if there are more. It ends at what the reader knows, unless
    the reader's place is not in this log: then it goes back as far as the log.
    """

    database_id: str
    revision: int
    trimmed_to: int
    newest: tuple[Change, ...]


def rows_max(database_id: str) -> int:
    """How many rows to read for one who knows this database; none: from scratch."""
    return (CHANGES_MAX if database_id else HISTORY_MAX) + 1


def page_of(read: FeedRead, *, database_id: str, after: int) -> ChangePage:
    """All changes after `after`, or a gap with the newest history."""
    is_in_log = read.database_id == database_id and read.trimmed_to <= after <= read.revision
    if is_in_log and len(read.newest) <= CHANGES_MAX:
        page = _page(read, read.newest, is_gap=False)
        # A log with a hole tells less than it should.
        if page.after == after:
            return page
    return _page(read, _whole_revisions(read.newest), is_gap=True)


def _whole_revisions(newest: tuple[Change, ...]) -> Iterable[Change]:
    if len(newest) <= HISTORY_MAX:
        return newest
    cut = newest[HISTORY_MAX].revision
    return takewhile(lambda change: change.revision > cut, newest)


def _page(read: FeedRead, newest: Iterable[Change], *, is_gap: bool) -> ChangePage:
    """As far back as each revision has its changes."""
    told: list[Change] = []
    after = read.revision
    for change in newest:
        if change.revision not in (after, after + 1):
            break
        after = change.revision - 1
        told.append(change)
    return ChangePage(
        database_id=read.database_id,
        after=after,
        revision=read.revision,
        changes=tuple(reversed(told)),
        is_gap=is_gap,
    )
