"""The cache of decisions."""

import pytest

from catalogsvc.authz.cache import DecisionCache
from catalogsvc.authz.feed import Change, Page
from catalogsvc.authz.freshness import Freshness
from catalogsvc.authz.model import Decision, Reason, Row, Source

KEY: Row = ("u1", "o1", "l1")
YES = Decision(reason=Reason.ALLOWED, source=Source.GRPC, local_name="Centro", revision=7)
KEPT = Decision(reason=Reason.ALLOWED, source=Source.CACHE, local_name="Centro", revision=7)
NO = Decision(reason=Reason.NOT_ASSIGNED, source=Source.REST, revision=7)
OLD_YES = Decision(reason=Reason.ALLOWED, source=Source.CACHE, local_name="Centro")
OLD_NO = Decision(reason=Reason.NOT_ASSIGNED, source=Source.CACHE)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def freshness(clock: Clock) -> Freshness:
    freshness = Freshness(max_staleness_s=2.0)
    renew(freshness, clock, is_reset=True)
    return freshness


def renew(freshness: Freshness, clock: Clock, *changes: Change, is_reset: bool = False) -> None:
    known = freshness.position.revision or 7
    freshness.apply(
        Page(
            tick=freshness.make_tick(clock.now),
            database_id="db",
            after=known,
            revision=changes[-1].revision if changes else known,
            changes=changes,
            is_reset=is_reset,
        )
    )


def make_cache(
    freshness: Freshness, clock: Clock, *, is_kept_without_feed: bool = False
) -> DecisionCache:
    return DecisionCache(
        freshness,
        clock=clock,
        max_staleness_s=2.0,
        ttl_allowed_s=30.0,
        ttl_denied_s=1.0,
        entries_max=3,
        jitter=lambda: 1.1,
        is_kept_without_feed=is_kept_without_feed,
    )


def test_a_hit_is_counted_and_so_is_a_miss(freshness: Freshness, clock: Clock) -> None:
    cache = make_cache(freshness, clock)
    assert cache.find(KEY) is None
    cache.entries.put(KEY, KEPT, revision=7, until=clock.now + 1)

    assert cache.find(KEY) is KEPT
    assert (cache.hits, cache.misses, len(cache)) == (1, 1, 1)


def test_a_hit_needs_the_lease(freshness: Freshness, clock: Clock) -> None:
    cache = make_cache(freshness, clock)
    cache.entries.put(KEY, KEPT, revision=7, until=clock.now + 30)

    clock.now += 2.0
    assert cache.find(KEY) is None
    renew(freshness, clock)
    assert cache.find(KEY) is KEPT


def test_a_hit_ends_with_its_time(freshness: Freshness, clock: Clock) -> None:
    cache = make_cache(freshness, clock)
    cache.entries.put(KEY, KEPT, revision=7, until=clock.now + 1)

    clock.now += 1

    assert cache.find(KEY) is None
    assert len(cache) == 0


def test_a_change_of_the_assignment_ends_a_hit(freshness: Freshness, clock: Clock) -> None:
    cache = make_cache(freshness, clock)
    cache.entries.put(KEY, KEPT, revision=7, until=clock.now + 30)

    renew(freshness, clock, Change(8, "o1", "other", "l1"))
    assert cache.find(KEY) is KEPT
    renew(freshness, clock, Change(9, "o1", "u1", "l1"))
    assert cache.find(KEY) is None


def test_a_yes_is_kept_give_or_take_a_little_and_a_no_is_not(
    freshness: Freshness, clock: Clock
) -> None:
    cache = make_cache(freshness, clock)

    assert cache.until(1000.0, is_yes=True) == pytest.approx(1033.0)
    assert cache.until(1000.0, is_yes=False) == pytest.approx(1001.0)


def test_what_was_found_is_good_until_the_lease_ends(freshness: Freshness, clock: Clock) -> None:
    cache = make_cache(freshness, clock)
    cache.entries.put(KEY, KEPT, revision=7, until=clock.now + 30)

    assert cache.good_until(KEY) == clock.now + 2.0


@pytest.mark.parametrize(("decision", "lives_s"), [(OLD_YES, 2.0), (OLD_NO, 1.0)])
def test_without_a_feed_the_bound_is_counted_from_the_question(
    clock: Clock, decision: Decision, lives_s: float
) -> None:
    cache = make_cache(Freshness(max_staleness_s=2.0), clock, is_kept_without_feed=True)
    cache.keep_without_feed(KEY, decision, sent_at=clock.now)
    assert cache.good_until(KEY) == clock.now + lives_s

    clock.now += lives_s - 0.001
    assert cache.find(KEY) is decision
    clock.now += 0.001
    assert cache.find(KEY) is None


def test_without_a_feed_an_answer_that_took_too_long_is_not_kept(clock: Clock) -> None:
    cache = make_cache(Freshness(max_staleness_s=2.0), clock, is_kept_without_feed=True)

    cache.keep_without_feed(KEY, OLD_YES, sent_at=clock.now - 2.0)

    assert len(cache) == 0
