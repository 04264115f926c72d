"""What the client knows about itself, as plain values for whoever exports metrics. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from catalogsvc.authz.breaker import BreakerState
from catalogsvc.authz.model import Source

__all__ = ["Snapshot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Counters since the start, and states as of now.

    `answers` counts what Auth answered, once for all that shared it, and each cache hit.
    `unavailable` counts calls that ended in AuthUnavailable. `breakers` has one state per target.
    """

    cache_hits: int
    cache_misses: int
    cache_size: int
    answers: Mapping[Source, int]
    breakers: Mapping[str, BreakerState]
    in_flight: int
    unavailable: int
