"""The cache of decisions, and that it is a proper aiocache backend."""

import pytest

from catalogsvc.authz.cache import CacheKey, DecisionCache
from catalogsvc.authz.model import Decision, Reason, Source

KEY: CacheKey = ("u1", "o1", "l1")
YES = Decision(reason=Reason.ALLOWED, source=Source.GRPC, local_name="Centro", revision=7)
NO = Decision(reason=Reason.NOT_ASSIGNED, source=Source.REST)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_cache(
    clock: Clock, *, max_staleness_s: float = 2.0, entries_max: int = 3
) -> DecisionCache:
    return DecisionCache(
        clock=clock,
        max_staleness_s=max_staleness_s,
        ttl_allowed_s=30.0,
        ttl_denied_s=1.0,
        entries_max=entries_max,
    )


def test_a_hit_says_that_it_is_one(clock: Clock) -> None:
    cache = make_cache(clock)
    cache.keep(KEY, YES, asked_at=clock.now)

    hit = cache.find(KEY)

    assert hit == Decision(
        reason=Reason.ALLOWED, source=Source.CACHE, local_name="Centro", revision=7
    )
    assert (cache.hits, cache.misses) == (1, 0)


def test_a_yes_ends_with_the_staleness_counted_from_the_question(clock: Clock) -> None:
    cache = make_cache(clock)
    asked_at = clock.now
    clock.now += 1.5
    cache.keep(KEY, YES, asked_at=asked_at)

    clock.now = asked_at + 1.999
    assert cache.find(KEY)
    clock.now = asked_at + 2.0
    assert cache.find(KEY) is None
    assert len(cache) == 0


def test_a_no_ends_with_its_own_ttl(clock: Clock) -> None:
    cache = make_cache(clock)
    cache.keep(KEY, NO, asked_at=clock.now)

    clock.now += 1.0

    assert cache.find(KEY) is None


def test_an_answer_that_took_too_long_is_not_kept(clock: Clock) -> None:
    cache = make_cache(clock)

    cache.keep(KEY, YES, asked_at=clock.now - 2.0)

    assert len(cache) == 0


def test_without_staleness_nothing_is_kept(clock: Clock) -> None:
    cache = make_cache(clock, max_staleness_s=0.0)

    cache.keep(KEY, YES, asked_at=clock.now)

    assert cache.find(KEY) is None


def test_the_least_recently_used_leaves_first(clock: Clock) -> None:
    cache = make_cache(clock, entries_max=2)
    first, second, third = ((f"u{number}", "o1", "l1") for number in range(3))
    cache.keep(first, YES, asked_at=clock.now)
    cache.keep(second, YES, asked_at=clock.now)
    cache.find(first)

    cache.keep(third, YES, asked_at=clock.now)

    assert cache.find(second) is None
    assert cache.find(first)
    assert cache.find(third)


async def test_it_is_an_aiocache_backend(clock: Clock) -> None:
    cache = make_cache(clock)

    assert await cache.get(KEY) is None
    assert await cache.get(KEY, NO) is NO
    assert await cache.set(KEY, YES, ttl=100)
    assert await cache.get(KEY)
    assert await cache.exists(KEY)
    assert await cache.delete(KEY) == 1
    assert await cache.delete(KEY) == 0
    assert await cache.set(KEY, NO)
    assert await cache.clear()
    assert not await cache.exists(KEY)


@pytest.mark.parametrize(
    ("decision", "ttl", "lives_s"), [(YES, 100, 2.0), (YES, 0.5, 0.5), (NO, None, 1.0)]
)
async def test_a_ttl_may_shorten_the_bound_and_never_stretch_it(
    clock: Clock, decision: Decision, ttl: float | None, lives_s: float
) -> None:
    cache = make_cache(clock)
    await cache.set(KEY, decision, ttl=ttl)

    clock.now += lives_s - 0.001
    assert await cache.exists(KEY)
    clock.now += 0.001
    assert not await cache.exists(KEY)
