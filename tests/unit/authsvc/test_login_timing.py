"""Whether a user exists cannot be told from how long a refused login takes.

A t-test over 200 tries each, in turns, so that a busy machine disturbs both alike. The hashing is
made heavy enough to stand out of everything else, and light enough for 400 of them.
"""

import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from statistics import fmean, variance

import pytest

from authsvc.migrations import MIGRATIONS
from authsvc.passwords import PasswordCost
from svckit.errors import Unauthenticated
from svckit.migrations import migrate
from tests.sessions_at_hand import SessionsAtHand, sessions_at_hand

TRIES = 200
COST = PasswordCost(memory_kib=2048, passes=6)
# |t| beyond it has a chance of 1 in 10,000 for times that come from one distribution.
T_MAX = 4.0


@pytest.fixture
async def a(tmp_path: Path) -> AsyncIterator[SessionsAtHand]:
    url = f"sqlite+aiosqlite:///{tmp_path}/auth.db"
    await migrate(url, MIGRATIONS)
    async with sessions_at_hand(url, cost=COST) as at_hand:
        yield at_hand


async def refused_s(a: SessionsAtHand, email: str) -> float:
    """How long the refusal takes. Nothing is counted against the next try."""
    a.now += 86_400
    started = time.perf_counter()
    with pytest.raises(Unauthenticated):
        await a.sessions.log_in(
            organization_id="acme", email=email, password="wrong password", network="n"
        )
    return time.perf_counter() - started


def t_of(one: Sequence[float], other: Sequence[float]) -> float:
    """Welch's t of their ranks: a pause of the machine is one late place, however long it was."""
    order = sorted((*one, *other))
    a, b = ([bisect_left(order, time_s) for time_s in times] for times in (one, other))
    return float((fmean(a) - fmean(b)) / (variance(a) / len(a) + variance(b) / len(b)) ** 0.5)


async def measure(a: SessionsAtHand) -> float:
    wrong, unknown = [], []
    for number in range(TRIES):
        wrong.append(await refused_s(a, "ana@acme.test"))
        unknown.append(await refused_s(a, f"nobody{number % 7}@acme.test"))
    return t_of(wrong, unknown)


async def test_an_unknown_user_takes_as_long_as_a_wrong_password(a: SessionsAtHand) -> None:
    assert abs(t := await measure(a)) < T_MAX, t


async def test_the_test_sees_it_when_an_unknown_user_costs_no_hashing(a: SessionsAtHand) -> None:
    verify = a.passwords.is_match

    async def only_real(stored: str | None, password: bytes) -> bool:
        return stored is not None and await verify(stored, password)

    a.passwords.is_match = only_real  # type: ignore[method-assign] # the mistake to be found

    assert (t := await measure(a)) > 2 * T_MAX, t
