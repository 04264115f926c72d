"""What this process knows of the database: up to which revision, and since when. Pure.

A read that started at D and told of revision R is a lease: until D + LEASE_S an answer may be given
from what is known at R, for nothing that was committed before D is missing from it.
"""

from dataclasses import dataclass

from authsvc.changes import Change, ChangePage
from svckit.last_changes import LastChanges

__all__ = ["Freshness", "Position", "Learned", "LEASE_S"]

LEASE_S = 1.5
ORGANIZATIONS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a read starts from. A read that started before all was forgotten brings old news."""

    database_id: str
    revision: int
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What a page said that was not known: `changes`, or with `is_reset` that all must go."""

    changes: tuple[Change, ...] = ()
    is_reset: bool = False


class Freshness:
    """Times are seconds on a clock that neither stops nor is set."""

    __slots__ = ("_generation", "_last_changes", "_leased_from", "database_id", "revision")

    def __init__(self) -> None:
        self.database_id = ""
        self.revision = 0
        self._generation = 0
        self._leased_from = float("-inf")
        self._last_changes = LastChanges(keys_max=ORGANIZATIONS_MAX)

    def position(self) -> Position:
        return Position(
            database_id=self.database_id, revision=self.revision, generation=self._generation
        )

    def is_leased(self, now: float) -> bool:
        return now < self._leased_from + LEASE_S

    def age_s(self, now: float) -> float:
        """Nothing that is known is older than this."""
        return max(0.0, now - self._leased_from)

    def last_change(self, organization_id: str) -> int:
        return self._last_changes.at(organization_id)

    def advance(
        self, page: ChangePage, *, asked_at: Position, read_started_at: float
    ) -> Learned | None:
        """None: the page says nothing about what is known now, and no lease comes of it.

        Pages may come late, twice or overlapping: the part that is known already is passed over.
        """
        if asked_at.generation != self._generation:
            return None
        if page.is_gap or page.database_id != self.database_id:
            return self._restart(page, read_started_at)
        if page.after > self.revision:
            return None  # what lies between would be missed
        known = self.revision
        fresh = tuple(change for change in page.changes if change.revision > known)
        self._note(fresh)
        self.revision = max(known, page.revision)
        # Of two reads that overlap the one that started later may have seen less: then all that
        # was committed before it is known as well.
        self._leased_from = max(self._leased_from, read_started_at)
        return Learned(changes=fresh)

    def _restart(self, page: ChangePage, read_started_at: float) -> Learned:
        self._generation += 1
        self.database_id = page.database_id
        self.revision = page.revision
        self._leased_from = read_started_at
        self._last_changes.reset(page.after)
        self._note(page.changes)
        return Learned(changes=page.changes, is_reset=True)

    def _note(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            self._last_changes.note(change.organization_id, change.revision)
