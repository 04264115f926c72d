"""A client's cache and a model of the store behind it, driven step by step.

Each yes is judged: it must be supported by a revision of the last MAX_STALENESS_S. And so is each
page: what it does not touch must still be there.
"""

from collections.abc import Callable
from dataclasses import dataclass

from catalogsvc.authz.cache import DecisionCache
from catalogsvc.authz.feed import Change, Page
from catalogsvc.authz.freshness import Freshness, Misfit, Sent
from catalogsvc.authz.model import Decision, Reason, Row, Source
from catalogsvc.authz.transport import AsOf

__all__ = ["CacheWorld", "MakeFreshness", "ROWS", "MAX_STALENESS_S"]

MAX_STALENESS_S, TTL_ALLOWED_S, TTL_DENIED_S = 2.0, 30.0, 5.0
ROWS: list[Row] = [("u0", "o0", "l0"), ("u0", "o0", "l1"), ("u0", "o1", "l0")]
ENTRIES_MAX = 2
LATE_MAX = 5

# Makes what is under test; it is given the world's clock.
MakeFreshness = Callable[[Callable[[], float]], Freshness]


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What is allowed from `since` on, and what the revision touched."""

    since: float
    allowed: frozenset[Row] = frozenset()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answer:
    row: Row
    sent: Sent
    as_of: AsOf
    is_yes: bool


class CacheWorld:
    def __init__(self, make_freshness: MakeFreshness) -> None:
        self.now = 100.0
        self.database_id = "db"
        self.stores = {"db": [Revision(since=0.0)]}
        self.revoked_at: dict[Row, float] = {}
        self.freshness = make_freshness(lambda: self.now)
        self.cache = DecisionCache(
            self.freshness,
            clock=lambda: self.now,
            max_staleness_s=MAX_STALENESS_S,
            ttl_allowed_s=TTL_ALLOWED_S,
            ttl_denied_s=TTL_DENIED_S,
            entries_max=ENTRIES_MAX,
            jitter=lambda: 1.0,
            is_kept_without_feed=False,
        )
        self.pages: list[Page] = []
        self.answers: list[Answer] = []
        self.hits = 0
        self.tick(there_s=0.0, back_s=0.0)

    @property
    def store(self) -> list[Revision]:
        return self.stores[self.database_id]

    @property
    def revision(self) -> int:
        return len(self.store) - 1

    def wait(self, span_s: float) -> None:
        """Or stop: a suspended machine goes on later, and knows it by its lease's clock."""
        self.now += span_s

    # The store.

    def change(self, row: Row) -> None:
        change = Change(self.revision + 1, row[1], row[0], row[2])
        self._become(self.store[-1].allowed ^ {row}, (change,))

    def revoke(self, row: Row, *, of_user: bool, of_local: bool) -> None:
        """All of the user's, of the local's, or of the organization's."""
        change = Change(
            self.revision + 1, row[1], row[0] if of_user else None, row[2] if of_local else None
        )
        self._become(self.store[-1].allowed - {r for r in ROWS if _touches(change, r)}, (change,))

    def swap_database(self, revision: int) -> None:
        """Its revisions have the same numbers, and nothing is allowed in it yet."""
        self._become(frozenset(), ())
        self.database_id += "'"
        self.stores[self.database_id] = [Revision(since=self.now)] * (revision + 1)

    def _become(self, allowed: frozenset[Row], changes: tuple[Change, ...]) -> None:
        for row in self.store[-1].allowed - allowed:
            self.revoked_at[row] = self.now
        self.store.append(Revision(since=self.now, allowed=allowed, changes=changes))

    # The feed.

    def tick(
        self, *, there_s: float, back_s: float, after: int | None = None, is_late: bool = False
    ) -> None:
        """Its page is read between the two spans. `after`: a reset from there on.

        Late: it may be lost, come twice, or be overtaken by what comes after it.
        """
        tick = self.freshness.make_tick(self.now)
        self.now += there_s
        page = self._read_page(tick, after)
        self.now += back_s
        if is_late:
            self.pages = [*self.pages[1 - LATE_MAX :], page]
        else:
            self._take(page)

    def push(self, *, after: int, is_late: bool) -> None:
        """A page that nobody asked for, and that may leave out what comes before `after`."""
        page = self._read_page(0, None, after)
        if is_late:
            self.pages = [*self.pages[1 - LATE_MAX :], page]
        else:
            self._take(page)

    def late_page(self, pick: int, *, comes_again: bool) -> None:
        if self.pages:
            page = self.pages[pick % len(self.pages)]
            if not comes_again:
                self.pages.remove(page)
            self._take(page)

    def _read_page(self, tick: int, reset_after: int | None, after: int | None = None) -> Page:
        known = self.freshness.position
        is_other = known.database_id != self.database_id or known.revision > self.revision
        if reset_after is None and is_other:
            reset_after = self.revision
        start = reset_after if reset_after is not None else after
        start = known.revision if start is None else min(start, self.revision)
        return Page(
            tick=tick,
            database_id=self.database_id,
            after=start,
            revision=self.revision,
            changes=tuple(change for kept in self.store[start + 1 :] for change in kept.changes),
            is_reset=reset_after is not None,
        )

    def _take(self, page: Page) -> None:
        before = dict(self.cache.entries.by_key)
        try:
            must_forget = self.freshness.apply(page)
        except Misfit:
            # Another connection, and nothing of this one will come any more.
            self.freshness.connect()
            self.pages.clear()
            return
        if must_forget:
            self.cache.entries.clear()
            return
        if not self.freshness.is_leased(self.now):
            return
        store = self.stores[page.database_id]
        for row, (until, revision, _) in before.items():
            touching = [
                change
                for kept in store[revision + 1 : page.revision + 1]
                for change in kept.changes
                if _touches(change, row)
            ]
            if self.now < until and not touching:
                assert self.cache.find(row) is not None, f"{row} was dropped needlessly"

    # Questions.

    def find(self, row: Row) -> None:
        found = self.cache.find(row)
        self.hits += found is not None
        if found:
            self._judge_yes(row)
        assert len(self.cache) <= ENTRIES_MAX

    def ask(self, row: Row, *, takes_s: float, age_s: float, is_late: bool = False) -> None:
        """Answered at once, at the oldest revision that was the newest within `age_s`."""
        revision = next(
            number
            for number in range(len(self.store))
            if number == self.revision or self.store[number + 1].since >= self.now - age_s
        )
        answer = Answer(
            row=row,
            sent=self.freshness.send(self.now),
            as_of=AsOf(database_id=self.database_id, revision=revision, age_s=age_s),
            is_yes=row in self.store[revision].allowed,
        )
        if is_late:
            self.answers = [*self.answers[1 - LATE_MAX :], answer]
        else:
            self.now += takes_s
            self._hear(answer)

    def late_answer(self, pick: int) -> None:
        if self.answers:
            self._hear(self.answers.pop(pick % len(self.answers)))

    def _hear(self, answer: Answer) -> None:
        row, sent, as_of = answer.row, answer.sent, answer.as_of
        if answer.is_yes and self.now < self.freshness.good_until(row[1], as_of, sent):
            self._judge_yes(row)
        if self.freshness.may_keep_any(as_of, sent):
            assert self.freshness.may_keep(row[1], as_of, sent)
        if self.freshness.may_keep(row[1], as_of, sent):
            reason = Reason.ALLOWED if answer.is_yes else Reason.NOT_ASSIGNED
            decision = Decision(reason=reason, source=Source.CACHE, revision=as_of.revision)
            until = self.cache.until(sent.at, is_yes=answer.is_yes)
            self.cache.entries.put(row, decision, revision=as_of.revision, until=until)

    def _judge_yes(self, row: Row) -> None:
        if row not in self.store[-1].allowed:
            stale_s = self.now - self.revoked_at.get(row, 0.0)
            # Sums of floats, and ticks in whole nanoseconds.
            assert stale_s <= MAX_STALENESS_S + 1e-6, f"a yes of {row} is {stale_s} s too old"


def _touches(change: Change, row: Row) -> bool:
    return (
        change.organization_id == row[1]
        and change.user_id in (None, row[0])
        and change.local_id in (None, row[2])
    )
