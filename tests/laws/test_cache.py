"""The law of the cache: no answer outlives its question by too much, and memory is bounded."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from catalogsvc.authz.cache import CacheKey, DecisionCache
from catalogsvc.authz.model import Decision, Reason, Source

MAX_STALENESS_S, TTL_ALLOWED_S, TTL_DENIED_S, ENTRIES_MAX = 2.0, 3.0, 1.0, 3
KEYS: list[CacheKey] = [(f"u{number}", "o", "l") for number in range(5)]
REASONS = [Reason.ALLOWED, Reason.NOT_ASSIGNED]


class CacheLaw(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.cache = DecisionCache(
            clock=lambda: self.now,
            max_staleness_s=MAX_STALENESS_S,
            ttl_allowed_s=TTL_ALLOWED_S,
            ttl_denied_s=TTL_DENIED_S,
            entries_max=ENTRIES_MAX,
        )
        self.latest: dict[CacheKey, tuple[float, Reason]] = {}
        self.finds = 0

    @rule(span_s=st.floats(0.0, 1.5))
    def time_passes(self, span_s: float) -> None:
        self.now += span_s

    @rule(key=st.sampled_from(KEYS), reason=st.sampled_from(REASONS), took_s=st.floats(0.0, 4.0))
    def answer_arrives(self, key: CacheKey, reason: Reason, took_s: float) -> None:
        asked_at = self.now - took_s
        self.cache.keep(key, Decision(reason=reason, source=Source.GRPC), asked_at=asked_at)
        ttl_s = TTL_ALLOWED_S if reason is Reason.ALLOWED else TTL_DENIED_S
        use_until = asked_at + min(ttl_s, MAX_STALENESS_S)
        if use_until > self.now:
            self.latest[key] = (use_until, reason)

    @rule(key=st.sampled_from(KEYS))
    def question_comes(self, key: CacheKey) -> None:
        self.finds += 1
        hit = self.cache.find(key)
        if hit is not None:
            use_until, reason = self.latest[key]
            assert hit.reason is reason
            assert hit.source is Source.CACHE
            assert self.now < use_until

    @invariant()
    def it_is_bounded_and_counts(self) -> None:
        assert len(self.cache) <= ENTRIES_MAX
        assert self.cache.hits + self.cache.misses == self.finds


TestCacheLaw = CacheLaw.TestCase
