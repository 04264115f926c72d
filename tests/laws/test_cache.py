"""The law of the client's cache, against a model of Auth's store.

Never a yes from the cache that no revision of the last MAX_STALENESS_S supports, whatever becomes
of the feed's pages and of answers on their way; and no needless miss: what has nothing to do with a
change is not dropped by it.
"""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from catalogsvc.authz.feed import Page
from catalogsvc.authz.freshness import Freshness, Place, Sent
from catalogsvc.authz.model import Row
from catalogsvc.authz.transport import AsOf
from tests.laws.cache_world import MAX_STALENESS_S, ROWS, CacheWorld, MakeFreshness

rows = st.sampled_from(ROWS)
picks = st.integers(0, 4)
SPANS = (0.0, 0.01, 0.5, 1.5)
spans = st.sampled_from(SPANS)


def make_freshness(_: Callable[[], float]) -> Freshness:
    return Freshness(max_staleness_s=MAX_STALENESS_S)


class CacheLaw(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = CacheWorld(make_freshness)

    @rule(row=rows)
    def a_row_is_granted_or_revoked(self, row: Row) -> None:
        self.world.change(row)

    @rule(row=rows, of=st.sampled_from(["user", "local", "organization"]))
    def more_is_revoked_at_once(self, row: Row, of: str) -> None:
        self.world.revoke(row, of_user=of == "user", of_local=of == "local")

    @rule(revision=picks)
    def another_database_takes_its_place(self, revision: int) -> None:
        self.world.swap_database(revision)

    @rule(there_s=spans, back_s=spans, after=st.none() | picks, is_late=st.booleans())
    def a_tick_is_answered(
        self, there_s: float, back_s: float, after: int | None, is_late: bool
    ) -> None:
        self.world.tick(there_s=there_s, back_s=back_s, after=after, is_late=is_late)

    @rule(after=picks, is_late=st.booleans())
    def changes_are_pushed(self, after: int, is_late: bool) -> None:
        self.world.push(after=after, is_late=is_late)

    @rule(pick=picks, comes_again=st.booleans())
    def a_late_page_arrives(self, pick: int, comes_again: bool) -> None:
        self.world.late_page(pick, comes_again=comes_again)

    @rule(row=rows, takes_s=spans, age_s=spans, is_late=st.booleans())
    def a_question_is_asked(self, row: Row, takes_s: float, age_s: float, is_late: bool) -> None:
        self.world.ask(row, takes_s=takes_s, age_s=age_s, is_late=is_late)

    @rule(pick=picks)
    def a_late_answer_arrives(self, pick: int) -> None:
        self.world.late_answer(pick)

    @rule(row=rows)
    def a_question_comes(self, row: Row) -> None:
        self.world.find(row)

    @rule(span_s=spans)
    def time_passes(self, span_s: float) -> None:
        self.world.wait(span_s)


TestCacheLaw = CacheLaw.TestCase
TestCacheLaw.settings = settings(max_examples=100, stateful_step_count=100)


class Walker:
    """At random, and mostly in good weather, so that there is something to be wrong about."""

    def __init__(self, make: MakeFreshness, seed: int) -> None:
        self.world = CacheWorld(make)
        self._rng = Random(seed)  # noqa: S311 # the same walk for the same seed
        steps = {
            self._ask: 10.0,
            self._find: 10.0,
            self._tick: 6.0,
            self._hear_late: 6.0,
            self._push: 2.0,
            self._write: 6.0,
            self._wait: 4.0,
            self._swap: 0.2,
        }
        self._steps, self._weights = list(steps), list(steps.values())

    def walk(self) -> None:
        for step in self._rng.choices(self._steps, self._weights, k=STEPS):
            step()

    def _ask(self) -> None:
        takes_s, age_s, is_late = self._span(), self._span(), self._rng.random() < 0.4
        self.world.ask(self._row(), takes_s=takes_s, age_s=age_s, is_late=is_late)

    def _find(self) -> None:
        self.world.find(self._row())

    def _tick(self) -> None:
        after = self._rng.randint(0, self.world.revision) if self._rng.random() < 0.05 else None
        is_late = self._rng.random() < 0.4
        self.world.tick(there_s=self._span(), back_s=self._span(), after=after, is_late=is_late)

    def _hear_late(self) -> None:
        self.world.late_answer(self._rng.randrange(5))
        if self._rng.random() < 0.3:
            self.world.late_page(self._rng.randrange(5), comes_again=self._rng.random() < 0.5)

    def _push(self) -> None:
        after = max(0, self.world.revision - self._rng.randrange(5))
        self.world.push(after=after, is_late=self._rng.random() < 0.2)

    def _write(self) -> None:
        match self._rng.randrange(6):
            case 0:
                self.world.revoke(self._row(), of_user=True, of_local=False)
            case 1:
                self.world.revoke(self._row(), of_user=False, of_local=self._rng.random() < 0.5)
            case _:
                self.world.change(self._row())

    def _wait(self) -> None:
        self.world.wait(self._span())

    def _swap(self) -> None:
        self.world.swap_database(self._rng.randint(0, self.world.revision))

    def _row(self) -> Row:
        return self._rng.choice(ROWS)

    def _span(self) -> float:
        return self._rng.choice(SPANS)


STEPS, WALKS = 300, 200


def test_the_law_holds_on_long_walks() -> None:
    walkers = [Walker(make_freshness, seed) for seed in range(WALKS)]
    for walker in walkers:
        walker.walk()

    # Else nothing was put to the test.
    assert sum(walker.world.hits for walker in walkers) > WALKS


# That the law can fail: each of these lacks one rule, and is found out.


class WithoutStoreRule(Freshness):
    __slots__ = ()

    def may_keep(self, organization_id: str, as_of: AsOf, sent: Sent) -> bool:
        return True


class WithoutDropping(Freshness):
    __slots__ = ()

    def is_touched(self, place: Place, *, since: int) -> bool:
        return False


class WithoutDatabases(Freshness):
    """Does not tell the revisions of one database from those of another."""

    __slots__ = ()

    def is_comparable(self, as_of: AsOf, sent: Sent) -> bool:
        return as_of.revision > 0


class LeasedFromReceipt(Freshness):
    """Takes a page for news of the moment at which it arrives."""

    __slots__ = ("clock",)

    clock: Callable[[], float]

    def _extend(self, tick: int) -> None:
        super()._extend(tick)
        self.lease_until = self.clock() + MAX_STALENESS_S


class TakingEveryPage(Freshness):
    """Does not mind that changes are missing before a page."""

    __slots__ = ()

    def _misfit(self, page: Page) -> str | None:
        why = super()._misfit(page)
        return None if why == "changes are missing before it" else why


@pytest.mark.parametrize(
    "kind",
    [WithoutStoreRule, WithoutDropping, WithoutDatabases, LeasedFromReceipt, TakingEveryPage],
)
def test_the_law_finds_a_missing_rule(kind: type[Freshness]) -> None:
    def make_broken(clock: Callable[[], float]) -> Freshness:
        freshness = kind(max_staleness_s=MAX_STALENESS_S)
        if isinstance(freshness, LeasedFromReceipt):
            freshness.clock = clock
        return freshness

    def walk_all() -> None:
        for seed in range(WALKS):
            Walker(make_broken, seed).walk()

    with pytest.raises(AssertionError, match="too old"):
        walk_all()
