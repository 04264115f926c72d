"""Laws of the limits: guesses are few, and whoever they are aimed at gets in."""

from hypothesis import given
from hypothesis import strategies as st

from authsvc.login_limits import (
    FORGOTTEN_AFTER_S,
    Scope,
    Tally,
    counted,
    network_of,
    taken_back,
    wait_s,
)

tallies = st.builds(Tally, failures=st.integers(0, 10**6), counted_at=st.integers(0, 2 * 10**9))
times = st.floats(0, 2e9)
pauses = st.lists(st.floats(0, 2 * FORGOTTEN_AFTER_S), min_size=1, max_size=60)


def guess(counts: dict[Scope, Tally], now: float) -> dict[Scope, Tally]:
    return {scope: counted(scope, tally, now=now) for scope, tally in counts.items()}


@given(st.fixed_dictionaries(dict.fromkeys(Scope, tallies)), times)
def test_nobody_waits_for_more_than_a_quarter_of_an_hour(
    counts: dict[Scope, Tally], now: float
) -> None:
    pause_s = wait_s(counts, now=now, is_known_network=False)

    assert 0 <= pause_s <= 900
    assert wait_s(counts, now=now + 901, is_known_network=False) == 0 or now < max(
        tally.counted_at for tally in counts.values()
    )


@given(tallies, times)
def test_strangers_never_delay_a_login_from_a_network_that_is_known(
    everywhere: Tally, now: float
) -> None:
    counts = dict.fromkeys(Scope, Tally()) | {Scope.ACCOUNT: everywhere}

    assert wait_s(counts, now=now, is_known_network=True) == 0


@given(pauses)
def test_an_hour_has_few_guesses_at_one_account_from_one_network(pauses_s: list[float]) -> None:
    counts = dict.fromkeys(Scope, Tally())
    now, made = 1_000_000.0, []
    for pause_s in pauses_s:
        now += pause_s
        if wait_s(counts, now=now, is_known_network=False) == 0:
            counts = guess(counts, now)
            made.append(now)

    for start in made:
        # Five are free, and the waits after them double: the eleventh of them takes half an hour.
        assert len([at for at in made if start <= at < start + 3600]) <= 5 + 10 + 4 + 1


@given(tallies, times, st.sampled_from(Scope))
def test_a_success_leaves_no_more_than_there_was_before_it(
    before: Tally, now: float, scope: Scope
) -> None:
    after = taken_back(scope, counted(scope, before, now=now))

    assert after.failures <= before.failures


@given(st.text() | st.ip_addresses().map(str))
def test_every_host_is_in_one_network_and_that_is_its_own(host: str) -> None:
    network = network_of(host)

    assert network_of(network) == network
