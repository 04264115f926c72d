"""What the client of Auth counts, as metrics. Pure.

Operators watch them to see how often Auth is spared, over which wire it answers, and when it is
away; `authz_unavailable_total` is the one to alert on.
"""

from collections.abc import Iterator

from catalogsvc.authz import BreakerState, Snapshot
from svckit.metrics import Sample

__all__ = ["auth_samples"]

BREAKER_LEVEL = {
    BreakerState.CLOSED: 0,
    BreakerState.PROBING: 1,
    BreakerState.OPEN: 2,
}


def auth_samples(snapshot: Snapshot) -> Iterator[Sample]:
    """No ids in them: the labels are the three sources and the targets an operator has set."""
    yield _counter("authz_cache_hits_total", "Questions the cache answered.", snapshot.cache_hits)
    yield _counter("authz_cache_misses_total", "Questions it could not.", snapshot.cache_misses)
    yield _gauge("authz_cache_entries", "Decisions in the cache.", snapshot.cache_size)
    yield _gauge("authz_cache_identities", "Verified tokens in the cache.", snapshot.identities)
    yield _gauge("authz_cache_permissions", "Users' permissions in it.", snapshot.permissions)
    yield _counter(
        "authz_dropped_total", "What changes have taken out of the caches.", snapshot.dropped
    )
    yield from _feed_samples(snapshot)
    yield from _second_level_samples(snapshot)
    yield _counter("authz_batches_total", "Batches of questions sent.", snapshot.batches)
    yield _counter("authz_batch_rows_total", "Questions in them.", snapshot.rows)
    for source, answers in snapshot.answers.items():
        yield Sample(
            name="authz_answers_total",
            help="Answers by where they came from.",
            kind="counter",
            value=answers,
            labels={"source": source},
        )
    yield _counter(
        "authz_unavailable_total", "Calls that no one at Auth answered.", snapshot.unavailable
    )
    yield _gauge("authz_in_flight", "Questions to Auth that are under way.", snapshot.in_flight)
    for target, state in snapshot.breakers.items():
        yield Sample(
            name="authz_breaker_state",
            help="0 closed (asked), 1 half-open (one probe), 2 open (left alone).",
            kind="gauge",
            value=BREAKER_LEVEL[state],
            labels={"target": target},
        )


def _feed_samples(snapshot: Snapshot) -> Iterator[Sample]:
    yield _gauge(
        "authz_lease_seconds_left",
        "For how long the caches may be used without news from Auth; 0: they are not.",
        snapshot.lease_left_s,
    )
    yield _gauge("authz_revision", "The newest revision that Auth has told.", snapshot.revision)


def _second_level_samples(snapshot: Snapshot) -> Iterator[Sample]:
    counts = snapshot.second_level
    yield _counter("authz_second_level_hits_total", "Questions Redis answered.", counts.hits)
    yield _counter("authz_second_level_misses_total", "Questions it could not.", counts.misses)
    yield _counter("authz_second_level_failures_total", "Commands it failed.", counts.failures)


def _counter(name: str, text: str, value: int) -> Sample:
    return Sample(name=name, help=text, kind="counter", value=value)


def _gauge(name: str, text: str, value: float) -> Sample:
    return Sample(name=name, help=text, kind="gauge", value=value)
