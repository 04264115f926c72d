"""Decisions kept in this process: bounded, least recently used out first, no timers.

The promise: a decision is used until `asked_at + min(ttl, max_staleness_s)`, where `asked_at` is
when the question was sent. The caveat: nobody tells this cache about a change, so a question asked
up to `max_staleness_s` after a revocation may still be answered with the old yes, and the user who
was just revoked is the only one to notice. Later than that it cannot, however slow the network was.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from aiocache.base import BaseCache
from aiocache.serializers import NullSerializer

from catalogsvc.authz.model import Decision, Source

__all__ = ["DecisionCache", "CacheKey"]

# (user_id, organization_id, local_id): cheaper to make and to hash than a LocalQuery.
CacheKey: TypeAlias = tuple[str, str, str]


class DecisionCache(BaseCache):  # type: ignore[misc] # aiocache has no types
    """An aiocache backend, with `find` and `keep` as the ways in that cost no coroutine.

    `clock` gives monotonic seconds. Values never leave the process, so nothing is serialised.
    """

    NAME = "decisions"

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        max_staleness_s: float,
        ttl_allowed_s: float,
        ttl_denied_s: float,
        entries_max: int,
    ) -> None:
        super().__init__(serializer=NullSerializer(), timeout=None)
        self._clock = clock
        self._allowed_s = min(ttl_allowed_s, max_staleness_s)
        self._denied_s = min(ttl_denied_s, max_staleness_s)
        self._entries_max = entries_max
        self._entries: OrderedDict[CacheKey, tuple[float, Decision]] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, key: CacheKey) -> Decision | None:
        """The decision, as one from the cache, while it may be used."""
        entry = self._entries.get(key)
        if entry is not None:
            if self._clock() < entry[0]:
                self._entries.move_to_end(key)
                self.hits += 1
                return entry[1]
            del self._entries[key]
        self.misses += 1
        return None

    def keep(self, key: CacheKey, decision: Decision, *, asked_at: float) -> None:
        """Keeps what was asked at `asked_at`, unless it is too old already."""
        use_until = asked_at + (self._allowed_s if decision else self._denied_s)
        self._put(key, decision, use_until)

    def _put(self, key: CacheKey, decision: Decision, use_until: float) -> None:
        if use_until <= self._clock():
            return
        self._entries[key] = (use_until, replace(decision, source=Source.CACHE))
        self._entries.move_to_end(key)
        if len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)

    # What aiocache asks of a backend. Its own `get` costs seven times as much.

    async def get(self, key: CacheKey, default: Decision | None = None) -> Decision | None:
        decision = self.find(key)
        return default if decision is None else decision

    async def _set(
        self,
        key: CacheKey,
        value: Decision,
        ttl: float | None = None,
        _cas_token: object = None,
        _conn: object = None,
    ) -> bool:
        span_s = self._allowed_s if value else self._denied_s
        self._put(key, value, self._clock() + (span_s if ttl is None else min(ttl, span_s)))
        return True

    async def _exists(self, key: CacheKey, _conn: object = None) -> bool:
        entry = self._entries.get(key)
        return entry is not None and self._clock() < entry[0]

    async def _delete(self, key: CacheKey, _conn: object = None) -> int:
        return 0 if self._entries.pop(key, None) is None else 1

    async def _clear(self, namespace: str | None = None, _conn: object = None) -> bool:
        self._entries.clear()
        return True
