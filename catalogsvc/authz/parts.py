"""The parts of a client, put together. No part knows the client."""

import random
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from catalogsvc.authz.batcher import Batcher
from catalogsvc.authz.cache import DecisionCache
from catalogsvc.authz.call import Clock
from catalogsvc.authz.checks import Checks
from catalogsvc.authz.feed import Position
from catalogsvc.authz.freshness import Freshness
from catalogsvc.authz.landing import Batches
from catalogsvc.authz.model import ROWS_MAX, Source
from catalogsvc.authz.router import Router
from catalogsvc.authz.second_level import SecondLevel, open_redis
from catalogsvc.authz.settings import AuthClientSettings
from catalogsvc.authz.snapshot import SecondLevelCounts, Snapshot
from catalogsvc.authz.verdicts import Verdicts
from catalogsvc.authz.waiters import Waiter
from catalogsvc.authz.watcher import Watcher
from catalogsvc.authz.wiring import Wires

__all__ = ["Parts", "make_parts", "jitter"]

# Batches that may be out at once where there are only URLs to ask.
REST_LANES = 4


def jitter() -> float:
    """A factor of 1, give or take 10 %: what began together need not end together."""
    return random.uniform(0.9, 1.1)  # noqa: S311 # no secret hangs on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    router: Router
    freshness: Freshness
    cache: DecisionCache
    batches: Batches
    checks: Checks
    verdicts: Verdicts
    second_level: SecondLevel | None
    watcher: Watcher | None

    def snapshot(self, *, unavailable: int, now: float) -> Snapshot:
        cache, answers, second = self.cache, self.router.answers, self.second_level
        identities, permissions = self.verdicts.identities, self.verdicts.permissions
        return Snapshot(
            cache_hits=cache.hits,
            cache_misses=cache.misses,
            cache_size=len(cache),
            identities=len(identities),
            permissions=len(permissions),
            dropped=cache.entries.dropped + identities.dropped + permissions.dropped,
            answers={
                Source.CACHE: cache.hits,
                # The router counts a batch once.
                **{
                    source: answers[source] + self.batches.shared[source]
                    for source in (Source.GRPC, Source.REST)
                },
            },
            batches=self.batches.sent,
            rows=self.batches.rows,
            breakers={
                target.transport.name: target.breaker.state for target in self.router.targets
            },
            in_flight=len(self.checks) + len(self.verdicts),
            unavailable=unavailable,
            is_leased=self.freshness.is_leased(now),
            lease_left_s=max(0.0, self.freshness.lease_until - now),
            revision=self.freshness.position.revision,
            second_level=(
                SecondLevelCounts()
                if second is None
                else SecondLevelCounts(
                    hits=second.hits, misses=second.misses, failures=second.failures
                )
            ),
        )


def make_parts(
    settings: AuthClientSettings,
    wires: Wires,
    *,
    clock: Clock,
    lease_clock: Clock,
    wall_clock: Clock,
    log: FilteringBoundLogger,
) -> Parts:
    """Needs a running event loop; starts nothing."""
    freshness = Freshness(max_staleness_s=settings.max_staleness_s)
    cache = DecisionCache(
        freshness,
        clock=lease_clock,
        max_staleness_s=settings.max_staleness_s,
        ttl_allowed_s=settings.ttl_allowed_s,
        ttl_denied_s=settings.ttl_denied_s,
        entries_max=settings.cache_entries_max,
        jitter=jitter,
        is_kept_without_feed=settings.cache_without_feed,
    )
    second_level = _make_second_level(settings, lease_clock, wall_clock, log)
    batcher: Batcher[Waiter] = Batcher(
        lanes=settings.channels_per_target * len(wires.router.targets) or REST_LANES,
        rows_max=ROWS_MAX,
        flights_max=settings.flights_max,
        joinable_s=settings.max_staleness_s,
    )
    batches = Batches(
        batcher,
        wires.router,
        cache,
        freshness,
        second_level=second_level,
        clock=clock,
        lease_clock=lease_clock,
    )
    verdicts = Verdicts(
        wires.router,
        freshness,
        settings,
        clock=clock,
        lease_clock=lease_clock,
        wall_clock=wall_clock,
        jitter=jitter,
    )

    def forget(known: Position) -> None:
        for entries in (cache.entries, verdicts.identities, verdicts.permissions):
            entries.clear()
        if known.database_id and second_level is not None:
            second_level.pause()

    watcher = None
    if wires.feeds and settings.max_staleness_s > 0:
        watcher = Watcher(
            wires.feeds,
            freshness,
            max_staleness_s=settings.max_staleness_s,
            lease_clock=lease_clock,
            jitter=jitter,
            forget=forget,
            log=log,
        )
    return Parts(
        router=wires.router,
        freshness=freshness,
        cache=cache,
        batches=batches,
        checks=Checks(
            batcher,
            batches,
            clock=clock,
            lease_clock=lease_clock,
            timeout_s=settings.timeout_s,
        ),
        verdicts=verdicts,
        second_level=second_level,
        watcher=watcher,
    )


def _make_second_level(
    settings: AuthClientSettings,
    lease_clock: Clock,
    wall_clock: Clock,
    log: FilteringBoundLogger,
) -> SecondLevel | None:
    if not settings.has_second_level:
        return None
    return SecondLevel(
        open_redis(settings.cache_url),
        ttl_allowed_s=settings.ttl_allowed_s,
        ttl_denied_s=settings.ttl_denied_s,
        clock=lease_clock,
        wall_clock=wall_clock,
        log=log,
    )
