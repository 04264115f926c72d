"""Decisions kept in this process: bounded, least recently used out first, no timers.

The promise: a decision is used only while the lease holds and its TTL has not passed, and it was
kept only if nothing of its organization was known to have changed after its revision. So it says
what Auth said at some moment of the last `max_staleness_s`. The caveat: within that span a revoked
user may still be let in, if the change has not reached us yet; usually it does within 50 ms.

With `is_kept_without_feed`, answers without a revision are kept too, until
`asked_at + min(ttl, max_staleness_s)`: the same bound, but nothing ever cuts it short.
"""

from collections.abc import Callable

from catalogsvc.authz.entries import Entries
from catalogsvc.authz.freshness import Freshness, Place
from catalogsvc.authz.model import Decision, Row

__all__ = ["DecisionCache"]


def _place_of(row: Row, _: Decision) -> Place:
    return row[1], row[0], row[2]


class DecisionCache:
    """`clock` is the lease's."""

    def __init__(
        self,
        freshness: Freshness,
        *,
        clock: Callable[[], float],
        max_staleness_s: float,
        ttl_allowed_s: float,
        ttl_denied_s: float,
        entries_max: int,
        jitter: Callable[[], float],
        is_kept_without_feed: bool,
    ) -> None:
        self._freshness = freshness
        self._clock = clock
        self._max_staleness_s = max_staleness_s
        self._ttl_allowed_s = ttl_allowed_s
        self._ttl_denied_s = ttl_denied_s
        self._jitter = jitter
        self.is_kept_without_feed = is_kept_without_feed
        self.entries: Entries[Row, Decision] = Entries(
            freshness, place_of=_place_of, entries_max=entries_max
        )
        self._by_key = self.entries.by_key
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self.entries)

    def find(self, row: Row) -> Decision | None:
        """The decision, as one from the cache, while it may be used."""
        entry = self._by_key.get(row)
        if entry is not None:
            now, freshness = self._clock(), self._freshness
            if now >= entry[0]:
                self.entries.discard(row)
            elif not entry[1] or (
                now < freshness.lease_until
                and (entry[1] >= freshness.changed_at or self.entries.recheck(row, entry))
            ):
                self._by_key.move_to_end(row)
                self.hits += 1
                return entry[2]
        self.misses += 1
        return None

    def good_until(self, row: Row) -> float:
        """How long what `find` has just found may be told, without looking for it again."""
        until, revision, _ = self._by_key[row]
        return self._freshness.lease_until if revision else until

    def until(self, sent_at: float, *, is_yes: bool) -> float:
        """When an answer to what was sent then is too old to be kept any longer.

        Jittered, so that what was asked together is not asked again together.
        """
        if is_yes:
            return sent_at + self._ttl_allowed_s * self._jitter()
        return sent_at + self._ttl_denied_s

    def keep_without_feed(self, row: Row, decision: Decision, *, sent_at: float) -> None:
        """For an answer of a server that tells no revision."""
        assert not decision.revision, decision
        ttl_s = self._ttl_allowed_s if decision else self._ttl_denied_s
        until = sent_at + min(ttl_s, self._max_staleness_s)
        if self._clock() < until:
            self.entries.put(row, decision, revision=0, until=until)
