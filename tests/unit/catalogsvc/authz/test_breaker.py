"""The breaker, step by step; the law over all steps is in tests/laws/test_breaker.py."""

import pytest

from catalogsvc.authz.breaker import Breaker, BreakerState, Permit, Refusal


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(failures_max=3, cooldown_s=60.0)


def permit_of(breaker: Breaker, now: float) -> Permit:
    permit = breaker.admit(now)
    assert isinstance(permit, Permit)
    return permit


def open_it(breaker: Breaker, now: float) -> None:
    for _ in range(3):
        breaker.failed(permit_of(breaker, now), now)
    assert breaker.state is BreakerState.OPEN


def test_enough_failures_in_a_row_open_it(breaker: Breaker) -> None:
    open_it(breaker, now=100.0)

    assert breaker.admit(100.0) == Refusal(60.0)
    assert breaker.admit(159.0) == Refusal(1.0)


def test_a_success_starts_the_row_anew(breaker: Breaker) -> None:
    for _ in range(5):
        breaker.failed(permit_of(breaker, 0.0), 0.0)
        breaker.failed(permit_of(breaker, 0.0), 0.0)
        breaker.succeeded(permit_of(breaker, 0.0))

    assert breaker.state is BreakerState.CLOSED


def test_an_abandoned_call_counts_for_nothing(breaker: Breaker) -> None:
    for _ in range(10):
        breaker.abandoned(permit_of(breaker, 0.0), 0.0)

    assert breaker.state is BreakerState.CLOSED


def test_after_the_cooldown_one_probe_is_admitted(breaker: Breaker) -> None:
    open_it(breaker, now=0.0)

    assert breaker.refusal(60.0) is None
    permit_of(breaker, 60.0)

    assert breaker.state is BreakerState.PROBING
    assert breaker.admit(60.0) == Refusal(0.0)


def test_a_probe_that_succeeds_closes_it(breaker: Breaker) -> None:
    open_it(breaker, now=0.0)

    breaker.succeeded(permit_of(breaker, 60.0))

    assert breaker.state is BreakerState.CLOSED


def test_a_probe_that_fails_opens_it_for_a_whole_cooldown(breaker: Breaker) -> None:
    open_it(breaker, now=0.0)

    breaker.failed(permit_of(breaker, 60.0), 61.0)

    assert breaker.state is BreakerState.OPEN
    assert breaker.admit(61.0) == Refusal(60.0)


def test_a_probe_that_was_abandoned_makes_room_for_the_next_at_once(breaker: Breaker) -> None:
    open_it(breaker, now=0.0)

    breaker.abandoned(permit_of(breaker, 60.0), 61.0)

    assert breaker.state is BreakerState.OPEN
    permit_of(breaker, 61.0)


def test_a_late_failure_does_not_reopen_a_recovered_breaker(breaker: Breaker) -> None:
    late = [permit_of(breaker, 0.0) for _ in range(3)]
    open_it(breaker, now=0.0)
    breaker.succeeded(permit_of(breaker, 60.0))

    for permit in late:
        breaker.failed(permit, 61.0)

    assert breaker.state is BreakerState.CLOSED


def test_a_late_success_does_not_close_an_open_breaker(breaker: Breaker) -> None:
    late = permit_of(breaker, 0.0)
    open_it(breaker, now=0.0)

    breaker.succeeded(late)
    breaker.abandoned(late, 1.0)

    assert breaker.admit(1.0) == Refusal(59.0)
