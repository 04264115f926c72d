"""A report says of each goal whether it was met, and hides no failure."""

import pytest

from bench.goals import goals_of
from bench.jobs import Load, LoginLoad, PacedLoad, RevocationLoad
from bench.report import markdown
from bench.results import BASELINE, PORTERO, Machine, Results, Revocations, Series
from bench.statistics import Latency


def results() -> Results:
    machine = Machine(cores=2, processor="x86_64", system="Linux", python="3.11", versions={})
    return Results(plan="quick", store="sqlite", machine=machine, load_before=0.0)


def series(system: str, answered: int, failed: dict[str, int] | None = None) -> Series:
    load = Load(
        answered=answered,
        failed=failed or {},
        wrong=0,
        dropped=0,
        from_cache=0,
        elapsed_s=1.0,
        latency=Latency(p50_us=1.0, p95_us=2.0, p99_us=3.0, max_us=4.0),
        client_cpu_s=0.5,
        server_cpu_s=0.5,
    )
    return Series(system=system, mix="miss", form="each", in_flight=32, loads=[load])


def revocations(*, refused_ms: tuple[float, ...], missed: int) -> Revocations:
    load = RevocationLoad(
        refused_ms=refused_ms, last_yes_ms=(0.0,), missed=missed, max_staleness_ms=2000.0
    )
    return Revocations(clients=100, is_auth_stopped=False, load=load)


def checks(p99_us: float, *, failed: dict[str, int] | None = None, dropped: int = 0) -> PacedLoad:
    latency = Latency(p50_us=1.0, p95_us=2.0, p99_us=p99_us, max_us=p99_us)
    return PacedLoad(answered=99, failed=failed or {}, wrong=0, dropped=dropped, latency=latency)


def logins(
    beside: PacedLoad, *, answered: int = 9, failed: dict[str, int] | None = None
) -> Results:
    found = results()
    load = series(PORTERO, answered, failed).loads[0]
    found.logins = [LoginLoad(in_flight=8, without=checks(100.0), beside=beside, logins=load)]
    return found


def test_throughput_is_met_at_25_times_the_baseline_and_not_below() -> None:
    found = results()
    found.miss = [series(BASELINE, 100), series(PORTERO, 2500)]
    assert [goal.is_met for goal in goals_of(found)] == [True]

    found.miss = [series(BASELINE, 100), series(PORTERO, 2499)]
    assert [goal.is_met for goal in goals_of(found)] == [False]


def test_a_section_that_was_not_run_has_no_goal() -> None:
    assert list(goals_of(results())) == []


def test_a_client_that_never_refused_spoils_the_goal_however_fast_the_others_were() -> None:
    found = results()
    found.revocation = [revocations(refused_ms=(1.0,) * 99, missed=1)]

    assert [goal.is_met for goal in goals_of(found)] == [False, False]


def test_nobody_refused_is_no_error_of_the_report() -> None:
    found = results()
    found.revocation = [revocations(refused_ms=(), missed=100)]

    assert "**missed**" in markdown(found, plots=[])


def test_failures_are_named_in_the_report() -> None:
    found = results()
    found.miss = [series(BASELINE, 100, {"CANCELLED": 20}), series(PORTERO, 2500)]

    assert f"{BASELINE}, `validate_local`, 32 in flight: 20 CANCELLED" in markdown(found, plots=[])


def test_logins_may_make_the_p99_of_checks_three_times_as_long_and_not_more() -> None:
    assert [goal.is_met for goal in goals_of(logins(checks(300.0)))] == [True]
    assert [goal.is_met for goal in goals_of(logins(checks(301.0)))] == [False]


@pytest.mark.parametrize(
    "found",
    [
        logins(checks(100.0, failed={"AuthUnavailable": 1})),
        logins(checks(100.0, dropped=1)),
        logins(checks(100.0), failed={"status 429": 1}),
        logins(checks(100.0), answered=0),
    ],
    ids=("a check failed", "a check dropped", "a login refused", "no login at all"),
)
def test_what_got_no_answer_spoils_the_goal_of_logins_however_quick_the_rest_was(
    found: Results,
) -> None:
    assert [goal.is_met for goal in goals_of(found)] == [False]


def test_refused_logins_are_named_in_the_report_and_counted() -> None:
    found = logins(checks(100.0, dropped=2), failed={"status 429": 5})

    assert "Failed: logins: 5 status 429." in markdown(found, plots=[])
    assert found.unanswered == 7
