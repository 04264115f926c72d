"""Every number of the client comes out under its name."""

from prometheus_client import CollectorRegistry

from catalogsvc.auth_metrics import auth_samples
from catalogsvc.authz import BreakerState, SecondLevelCounts, Snapshot, Source
from svckit.metrics import metrics_response, register_snapshot

SNAPSHOT = Snapshot(
    cache_hits=5,
    cache_misses=3,
    cache_size=2,
    answers={Source.CACHE: 5, Source.GRPC: 2, Source.REST: 1},
    breakers={
        "grpc://a:1": BreakerState.CLOSED,
        "grpc://b:1": BreakerState.PROBING,
        "grpc://c:1": BreakerState.OPEN,
    },
    in_flight=6,
    unavailable=4,
    identities=7,
    permissions=8,
    dropped=9,
    batches=10,
    rows=11,
    is_leased=True,
    lease_left_s=1.5,
    revision=12,
    second_level=SecondLevelCounts(hits=13, misses=14, failures=15),
)

EXPECTED = """\
authz_cache_hits_total 5.0
authz_cache_misses_total 3.0
authz_cache_entries 2.0
authz_cache_identities 7.0
authz_cache_permissions 8.0
authz_dropped_total 9.0
authz_lease_seconds_left 1.5
authz_revision 12.0
authz_second_level_hits_total 13.0
authz_second_level_misses_total 14.0
authz_second_level_failures_total 15.0
authz_batches_total 10.0
authz_batch_rows_total 11.0
authz_answers_total{source="CACHE"} 5.0
authz_answers_total{source="GRPC"} 2.0
authz_answers_total{source="REST"} 1.0
authz_unavailable_total 4.0
authz_in_flight 6.0
authz_breaker_state{target="grpc://a:1"} 0.0
authz_breaker_state{target="grpc://b:1"} 1.0
authz_breaker_state{target="grpc://c:1"} 2.0
"""


def test_the_counters_of_the_client_are_exported_as_they_stand() -> None:
    registry = CollectorRegistry()
    register_snapshot(registry, lambda: auth_samples(SNAPSHOT))

    lines = bytes(metrics_response(registry).body).decode().splitlines()

    assert [line for line in lines if not line.startswith("#")] == EXPECTED.splitlines()
