"""Flights: who shares one, who leaves it, and what becomes of it."""

import asyncio
from contextvars import ContextVar

import pytest

from catalogsvc.authz.errors import AuthUnavailable, Closed
from catalogsvc.authz.flights import Flights
from svckit.deadline import Deadline


class Clock:
    """The loop's clock, and `skew_s` later."""

    skew_s = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.skew_s

    def soon(self, timeout_s: float = 5.0) -> Deadline:
        return Deadline.after(timeout_s, now=self())


class Auth:
    """Answers "<key> <how many questions before>" once `gate` is open."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Deadline]] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def ask(self, key: str, asked_at: float, deadline: Deadline) -> str:
        number = len(self.asked)
        self.asked.append((key, deadline))
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return f"{key} {number}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def auth() -> Auth:
    return Auth()


@pytest.fixture
def flights(clock: Clock, auth: Auth) -> Flights[str, str]:
    return Flights(auth.ask, clock=clock, max_staleness_s=2.0, timeout_s=5.0, flights_max=3)


async def turn_the_loop() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_equal_questions_share_a_flight_and_others_do_not(
    flights: Flights[str, str], auth: Auth, clock: Clock
) -> None:
    auth.gate.set()

    answers = await asyncio.gather(
        *[flights.answer(key, deadline=clock.soon()) for key in ("a", "a", "b")]
    )

    assert answers == ["a 0", "a 0", "b 1"]
    assert len(flights) == 0


async def test_a_flight_that_landed_is_not_joined(
    flights: Flights[str, str], auth: Auth, clock: Clock
) -> None:
    auth.gate.set()

    assert await flights.answer("a", deadline=clock.soon()) == "a 0"
    assert await flights.answer("a", deadline=clock.soon()) == "a 1"


async def test_a_waiter_that_is_cancelled_does_not_hurt_the_others(
    flights: Flights[str, str], auth: Auth, clock: Clock
) -> None:
    first = asyncio.create_task(flights.answer("a", deadline=clock.soon()))
    second = asyncio.create_task(flights.answer("a", deadline=clock.soon()))
    await turn_the_loop()

    first.cancel()
    await turn_the_loop()
    auth.gate.set()

    assert await second == "a 0"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_waiter_gives_up_at_its_own_deadline(
    flights: Flights[str, str], auth: Auth, clock: Clock
) -> None:
    patient = asyncio.create_task(flights.answer("a", deadline=clock.soon()))
    await turn_the_loop()

    with pytest.raises(AuthUnavailable):
        await flights.answer("a", deadline=clock.soon(0.02))
    auth.gate.set()

    assert await patient == "a 0"


async def test_a_hurried_first_caller_does_not_cost_the_patient_one_the_answer(
    clock: Clock,
) -> None:
    async def ask(_key: str, _asked_at: float, deadline: Deadline) -> str:
        left_s = deadline.left_s(clock())
        if left_s < 1.0:
            await asyncio.sleep(left_s)
            raise AuthUnavailable
        return "answer"

    flights = Flights(ask, clock=clock, max_staleness_s=2.0, timeout_s=5.0, flights_max=3)
    hurried = asyncio.create_task(flights.answer("a", deadline=clock.soon(0.02)))
    await turn_the_loop()

    assert await flights.answer("a", deadline=clock.soon(5.0)) == "answer"
    with pytest.raises(AuthUnavailable):
        await hurried


async def test_a_flight_ends_by_its_own_bound_however_patient_the_caller(
    flights: Flights[str, str], auth: Auth, clock: Clock
) -> None:
    auth.gate.set()
    before = clock()

    await flights.answer("a", deadline=clock.soon(3600))

    assert auth.asked[0][1].at == pytest.approx(before + 5.0, abs=1.0)


async def test_a_flight_that_is_too_old_is_not_joined(
    flights: Flights[str, str], auth: Auth, clock: Clock
) -> None:
    old = asyncio.create_task(flights.answer("a", deadline=clock.soon(5.0)))
    await turn_the_loop()
    clock.skew_s += 1.9
    joiner = asyncio.create_task(flights.answer("a", deadline=clock.soon(5.0)))
    await turn_the_loop()
    clock.skew_s += 0.2
    newcomer = asyncio.create_task(flights.answer("a", deadline=clock.soon(5.0)))
    await turn_the_loop()

    auth.gate.set()

    assert [await old, await joiner, await newcomer] == ["a 0", "a 0", "a 1"]
    assert len(flights) == 0


async def test_everyone_hears_of_a_failure_and_the_next_asks_anew(
    flights: Flights[str, str], auth: Auth, clock: Clock
) -> None:
    auth.error = AuthUnavailable()
    waiters = [asyncio.create_task(flights.answer("a", deadline=clock.soon())) for _ in range(3)]
    await turn_the_loop()
    auth.gate.set()

    outcomes = await asyncio.gather(*waiters, return_exceptions=True)
    auth.error = None

    assert [type(outcome) for outcome in outcomes] == [AuthUnavailable] * 3
    assert await flights.answer("a", deadline=clock.soon()) == "a 1"


async def test_a_flight_goes_on_without_its_waiters(
    flights: Flights[str, str], auth: Auth, clock: Clock
) -> None:
    waiter = asyncio.create_task(flights.answer("a", deadline=clock.soon()))
    await turn_the_loop()
    waiter.cancel()
    await turn_the_loop()

    assert len(flights) == 1
    auth.error = AuthUnavailable()
    auth.gate.set()
    await turn_the_loop()
    assert len(flights) == 0


async def test_too_many_flights_are_refused(
    flights: Flights[str, str], auth: Auth, clock: Clock
) -> None:
    waiters = [
        asyncio.create_task(flights.answer(key, deadline=clock.soon())) for key in ("a", "b", "c")
    ]
    await turn_the_loop()

    with pytest.raises(AuthUnavailable):
        await flights.answer("d", deadline=clock.soon())
    auth.gate.set()

    assert await asyncio.gather(*waiters) == ["a 0", "b 1", "c 2"]


async def test_close_ends_flights_and_tells_their_waiters(
    flights: Flights[str, str], clock: Clock
) -> None:
    waiter = asyncio.create_task(flights.answer("a", deadline=clock.soon()))
    await turn_the_loop()

    await flights.close(timeout_s=1.0)
    await flights.close(timeout_s=1.0)

    with pytest.raises(Closed):
        await waiter
    with pytest.raises(Closed):
        await flights.answer("a", deadline=clock.soon())
    assert len(flights) == 0


async def test_a_flight_runs_in_its_first_callers_context(clock: Clock) -> None:
    caller: ContextVar[str] = ContextVar("caller")

    async def ask(_key: str, _asked_at: float, _deadline: Deadline) -> str:
        return caller.get()

    flights = Flights(ask, clock=clock, max_staleness_s=2.0, timeout_s=5.0, flights_max=3)

    async def call_as(name: str) -> str:
        caller.set(name)
        return await flights.answer("a", deadline=clock.soon())

    first, second = await asyncio.gather(call_as("first"), call_as("second"))

    assert (first, second) == ("first", "first")
