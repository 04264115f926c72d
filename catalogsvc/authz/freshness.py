"""What the client knows of the changes in Auth's store, and until when that can be relied upon.

It is a lease, measured from the moment a tick was *sent*: its echo says that the server read the
newest revision after the tick had arrived, so nothing up to that revision is unknown to us as of
then, however long the echo was on its way. Pages may come late, twice, or not at all; one that does
not fit is refused, and the connection that brought it is of no use any more.

All times are seconds on the lease's clock, which does not stop while the process or its machine
sleeps. Pure.
"""

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

from catalogsvc.authz.feed import Change, Page, Position
from catalogsvc.authz.transport import AsOf
from svckit.last_changes import LastChanges

__all__ = ["Freshness", "Misfit", "Place", "Sent", "NEVER", "FOREVER", "ASKS_MAX", "TOO_OLD"]

NEVER = float("-inf")
FOREVER = float("inf")
# A server whose answers are always too old is asked this often, not until the deadline.
ASKS_MAX = 3
TOO_OLD = "Auth's answers are too old"
ORGANIZATIONS_MAX = 10_000
TOUCHED_MAX = 100_000
# Four seconds of ticks, and a server that has not answered one for a second is given up.
TICKS_MAX = 16


class Misfit(Exception):
    """The page does not fit what is known; nothing has changed. Connect anew."""


# (organization_id, user_id, local_id): what an answer depends on; None: on no local.
Place: TypeAlias = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True)
class Sent:
    """What was true when a question left: the time, and how often everything had been forgotten."""

    at: float
    generation: int


class Freshness:
    """`generation` counts the resets: an answer asked for in an older one is not kept."""

    __slots__ = ("_last", "_max_staleness_s", "_ticks", "_touched", "changed_at",
                 "generation", "lease_until", "position")  # fmt: skip

    def __init__(self, *, max_staleness_s: float) -> None:
        self._max_staleness_s = max_staleness_s
        # When anything of an organization has changed, and when exactly this or that of it.
        self._last = LastChanges(keys_max=ORGANIZATIONS_MAX)
        self._touched = LastChanges(keys_max=TOUCHED_MAX)
        self._ticks: deque[int] = deque(maxlen=TICKS_MAX)
        self.position = Position()
        self.generation = 0
        self.lease_until = NEVER
        # Nothing has changed after this revision, as far as is known.
        self.changed_at = 0

    def is_leased(self, now: float) -> bool:
        return now < self.lease_until

    def connect(self) -> None:
        """A new connection cannot echo the ticks of the one before."""
        self._ticks.clear()

    def make_tick(self, now: float) -> int:
        """To be sent now, at once; never 0."""
        tick = max(1, int(now * 1e9))
        self._ticks.append(tick)
        return tick

    def apply(self, page: Page) -> bool:
        """Takes the page in; True when everything that is kept must be forgotten, at once.

        Raises Misfit.
        """
        if why := self._misfit(page):
            raise Misfit(why)
        known = self.position.revision
        if page.is_reset:
            self._reset(page)
            known = page.after
        for change in page.changes:
            if change.revision > known:
                self._note(change)
        self.position = Position(database_id=page.database_id, revision=page.revision)
        if page.tick:
            self._extend(page.tick)
        return page.is_reset

    def is_touched(self, place: Place, *, since: int) -> bool:
        """Whether what stands there depends on anything that has changed after that revision.

        May say too much of an organization that has changed, never too little.
        """
        organization_id, user_id, local_id = place
        if self._last.at(organization_id) <= since:
            return False
        touching = [_key(organization_id, None, None), _key(organization_id, user_id, None)]
        if local_id is not None:
            touching += [
                _key(organization_id, None, local_id),
                _key(organization_id, user_id, local_id),
            ]
        return any(self._touched.at(key) > since for key in touching)

    def send(self, now: float) -> Sent:
        return Sent(now, self.generation)

    def may_keep(self, organization_id: str, as_of: AsOf, sent: Sent) -> bool:
        """Whether nothing of this organization is known to have changed after the answer."""
        return self.is_comparable(as_of, sent) and as_of.revision >= self._last.at(organization_id)

    def may_keep_any(self, as_of: AsOf, sent: Sent) -> bool:
        """`may_keep` for every organization at once; a no says nothing about one of them."""
        return self.is_comparable(as_of, sent) and as_of.revision >= self.changed_at

    def young_until(self, as_of: AsOf, sent: Sent) -> float:
        """From then on the answer may be too old to be a yes, as far as its age tells."""
        if self._max_staleness_s == 0:
            return FOREVER
        return sent.at - as_of.age_s + self._max_staleness_s

    def good_until(self, organization_id: str, as_of: AsOf, sent: Sent) -> float:
        """Until when a yes may be told: by its age, or because the lease vouches for it."""
        young_until = self.young_until(as_of, sent)
        if self.may_keep(organization_id, as_of, sent):
            return max(young_until, self.lease_until)
        return young_until

    def is_comparable(self, as_of: AsOf, sent: Sent) -> bool:
        """Whether the answer is of the database we follow, and of the same count of its changes."""
        return (
            as_of.revision > 0
            and sent.generation == self.generation
            and as_of.database_id == self.position.database_id
        )

    def _misfit(self, page: Page) -> str | None:
        known = self.position
        if not page.database_id or page.revision < page.after:
            return "it contradicts itself"
        if any(not page.after < change.revision <= page.revision for change in page.changes):
            return "it has a change that is not its own"
        if page.tick and page.tick not in self._ticks:
            return "it answers a tick that was not sent"
        if page.is_reset:
            return None
        if page.database_id != known.database_id:
            return "it is about another database"
        if page.after > known.revision:
            return "changes are missing before it"
        if page.revision < known.revision:
            return "it ends before what is known"
        return None

    def _note(self, change: Change) -> None:
        self._last.note(change.organization_id, change.revision)
        key = _key(change.organization_id, change.user_id, change.local_id)
        self._touched.note(key, change.revision)
        self.changed_at = max(self.changed_at, change.revision)

    def _reset(self, page: Page) -> None:
        self.generation += 1
        self._last.reset(page.after)
        self._touched.reset(page.after)
        self.changed_at = page.after
        # What an old lease vouched for has been forgotten.
        self.lease_until = NEVER

    def _extend(self, tick: int) -> None:
        while self._ticks[0] != tick:  # older ones will not be answered any more
            self._ticks.popleft()
        self.lease_until = max(self.lease_until, tick / 1e9 + self._max_staleness_s)


def _key(organization_id: str, user_id: str | None, local_id: str | None) -> str:
    # No id is empty or has a control character.
    return f"{organization_id}\0{user_id or ''}\0{local_id or ''}"
