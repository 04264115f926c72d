"""How long guessing has to wait, and that nobody has to wait for ever."""

import pytest

from authsvc.login_limits import (
    Attempt,
    Scope,
    Tally,
    begins_wait,
    counted,
    limit_keys,
    network_of,
    taken_back,
    wait_s,
)

NOW = 1_800_000_000
PAIR, ACCOUNT, NETWORK = Scope.ACCOUNT_FROM_NETWORK, Scope.ACCOUNT, Scope.NETWORK
NOTHING = dict.fromkeys(Scope, Tally())


def waiting(
    scope: Scope, failures: int, *, after_s: float = 0, is_known_network: bool = False
) -> float:
    tallies = NOTHING | {scope: Tally(failures=failures, counted_at=NOW)}
    return wait_s(tallies, now=NOW + after_s, is_known_network=is_known_network)


@pytest.mark.parametrize(
    ("failures", "expected_s"),
    [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (14, 512), (15, 900), (16, 900), (10**9, 900)],
)
def test_after_five_failures_each_wait_is_twice_the_last_up_to_fifteen_minutes(
    failures: int, expected_s: float
) -> None:
    assert waiting(PAIR, failures) == expected_s


@pytest.mark.parametrize(("failures", "expected_s"), [(99, 0), (100, 1), (101, 2), (10**9, 900)])
def test_failures_from_everywhere_count_after_a_hundred(failures: int, expected_s: float) -> None:
    assert waiting(ACCOUNT, failures) == expected_s


def test_failures_from_elsewhere_do_not_keep_a_user_out_of_a_network_they_have_logged_in_from() -> (
    None
):
    assert waiting(ACCOUNT, 10**9, is_known_network=True) == 0
    assert waiting(PAIR, 5, is_known_network=True) == 1


def test_a_network_has_thirty_failures_a_minute_whatever_the_account() -> None:
    assert waiting(NETWORK, 29) == 0
    assert waiting(NETWORK, 30, after_s=20) == 40
    assert waiting(NETWORK, 30, after_s=60) == 0


def test_the_wait_ends() -> None:
    assert waiting(PAIR, 10, after_s=31) == 1
    assert waiting(PAIR, 10, after_s=32) == 0


def test_a_clock_that_was_set_back_makes_nobody_wait_until_it_has_caught_up() -> None:
    assert waiting(PAIR, 10, after_s=-3600) == 0


def test_a_day_without_failures_is_a_new_start_and_less_is_none() -> None:
    old = Tally(failures=9, counted_at=NOW)

    assert counted(PAIR, old, now=NOW + 86_399.0) == Tally(failures=10, counted_at=NOW + 86_399)
    assert counted(PAIR, old, now=NOW + 86_400.0) == Tally(failures=1, counted_at=NOW + 86_400)


def test_the_minute_of_a_network_begins_with_its_first_failure() -> None:
    first = counted(NETWORK, Tally(), now=NOW)
    second = counted(NETWORK, first, now=NOW + 59)
    later = counted(NETWORK, second, now=NOW + 60)

    assert (second.failures, second.counted_at) == (2, NOW)
    assert (later.failures, later.counted_at) == (1, NOW + 60)


def test_a_success_takes_its_own_count_back_and_clears_the_account_from_this_network() -> None:
    tally = Tally(failures=9, counted_at=NOW)

    assert taken_back(PAIR, tally) == Tally()
    assert taken_back(ACCOUNT, tally) == Tally(failures=8, counted_at=NOW)
    assert taken_back(NETWORK, Tally()) == Tally()


def test_the_failure_that_begins_the_waiting_is_told_from_those_before_and_after() -> None:
    assert [n for n in range(200) if begins_wait(PAIR, Tally(failures=n))] == [5]
    assert [n for n in range(200) if begins_wait(ACCOUNT, Tally(failures=n))] == [100]


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
def test_a_network_is_what_costs_something_to_change(host: str, network: str) -> None:
    assert network_of(host) == network


def test_keys_are_hashes_that_differ_by_scope_and_by_where_one_part_ends() -> None:
    keys = [
        key
        for organization_id, email in (("ab", "c"), ("a", "bc"))
        for key in limit_keys(
            Attempt(organization_id=organization_id, email_folded=email, network="n")
        ).values()
    ]

    assert len(set(keys)) == 5  # the network is the same
    assert {len(key) for key in keys} == {64}
