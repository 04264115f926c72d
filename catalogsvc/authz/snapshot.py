"""What the client knows about itself, as plain values for whoever exports metrics. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalogsvc.authz.breaker import BreakerState
from catalogsvc.authz.model import Source

__all__ = ["Snapshot", "SecondLevelCounts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLevelCounts:
    hits: int = 0
    misses: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Counters since the start, and states as of now.

    `answers` counts what Auth answered, once for all that shared it, and each cache hit. `rows`
    were asked in `batches`. `dropped` counts what changes have taken out of the caches.
    `unavailable` counts calls that ended in AuthUnavailable. `breakers` has one state per target.
    The caches are in use for `lease_left_s` more, unless it is renewed; `revision` is the newest
    that the feed has told of.
    """

    cache_hits: int
    cache_misses: int
    cache_size: int
    identities: int = 0
    permissions: int = 0
    dropped: int = 0
    answers: Mapping[Source, int]
    batches: int = 0
    rows: int = 0
    breakers: Mapping[str, BreakerState]
    in_flight: int
    unavailable: int
    is_leased: bool = False
    lease_left_s: float = 0.0
    revision: int = 0
    second_level: SecondLevelCounts = field(default_factory=SecondLevelCounts)
