"""Questions in batches: who shares one, who leaves it, and what becomes of it."""

import asyncio
from collections.abc import AsyncIterator
from contextvars import ContextVar

import pytest

from catalogsvc.authz import (
    AuthClient,
    AuthUnavailable,
    Closed,
    Decision,
    InvalidRequest,
    LocalQuery,
    PartlyUnavailable,
    Reason,
    Source,
)
from catalogsvc.authz.feed import Change
from catalogsvc.authz.model import ROWS_MAX, Row
from catalogsvc.authz.transport import AsOf, Checked
from svckit.deadline import Deadline
from tests.unit.catalogsvc.authz.scripted import (
    ScriptedAuth,
    SkewedClock,
    lease,
    open_scripted,
    row,
)

Asking = asyncio.Task[Decision]


@pytest.fixture
def auth() -> ScriptedAuth:
    auth = ScriptedAuth()
    auth.allowed.add(row(0))
    return auth


@pytest.fixture
async def client(auth: ScriptedAuth) -> AsyncIterator[AuthClient]:
    async with open_scripted(auth) as client:
        yield client


def soon(timeout_s: float) -> Deadline:
    return Deadline.after(timeout_s, now=asyncio.get_running_loop().time())


def query(number: int) -> LocalQuery:
    user_id, organization_id, local_id = row(number)
    return LocalQuery(user_id=user_id, organization_id=organization_id, local_id=local_id)


async def ask(client: AuthClient, number: int = 0, deadline: Deadline | None = None) -> Decision:
    user_id, organization_id, local_id = row(number)
    return await client.validate_local(
        user_id=user_id, organization_id=organization_id, local_id=local_id, deadline=deadline
    )


def start(client: AuthClient, number: int = 0, deadline: Deadline | None = None) -> Asking:
    return asyncio.create_task(ask(client, number, deadline))


async def turn_the_loop() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


async def test_what_is_asked_in_the_same_turn_goes_in_one_batch(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.gate.set()

    decisions = await asyncio.gather(*(ask(client, number % 3) for number in range(9)))

    assert auth.batches == [[row(0), row(1), row(2)]]
    assert [bool(decision) for decision in decisions] == [True, False, False] * 3
    assert decisions[0] == Decision(
        reason=Reason.ALLOWED, source=Source.GRPC, local_name="Centro", revision=7
    )
    snapshot = client.snapshot()
    assert (snapshot.batches, snapshot.rows, snapshot.in_flight) == (1, 3, 0)
    assert snapshot.answers[Source.GRPC] == 3


async def test_while_all_lanes_are_out_the_next_batch_fills(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    asking = []
    for number in range(6):
        asking.append(start(client, number))
        await turn_the_loop()
    assert auth.batches == [[row(0)], [row(1)]]

    auth.gate.set()
    await asyncio.gather(*asking)

    assert auth.batches[2:] == [[row(2), row(3), row(4), row(5)]]


async def test_a_batch_has_no_more_rows_than_the_contract_allows(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.gate.set()

    asked = 5 * ROWS_MAX
    await asyncio.gather(*(ask(client, number) for number in range(asked)))

    sizes = [len(batch) for batch in auth.batches]
    assert (max(sizes), sum(sizes)) == (ROWS_MAX, asked)


async def test_a_waiter_that_is_cancelled_does_not_hurt_the_others(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    first, second = start(client), start(client)
    await turn_the_loop()

    first.cancel()
    await turn_the_loop()
    auth.gate.set()

    assert await second
    with pytest.raises(asyncio.CancelledError):
        await first
    assert len(auth.batches) == 1


async def test_a_question_goes_on_without_its_waiters(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    lease(client)
    waiter = start(client)
    await turn_the_loop()
    waiter.cancel()
    await turn_the_loop()
    assert client.snapshot().in_flight == 1

    auth.gate.set()
    await turn_the_loop()

    assert client.snapshot().in_flight == 0
    assert (await ask(client)).source is Source.CACHE


async def test_a_waiter_gives_up_at_its_own_deadline(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    patient = start(client)
    await turn_the_loop()

    with pytest.raises(AuthUnavailable):
        await ask(client, deadline=soon(0.02))
    auth.gate.set()

    assert await patient
    assert len(auth.batches) == 1


async def test_a_deadline_that_is_over_asks_nothing(client: AuthClient, auth: ScriptedAuth) -> None:
    with pytest.raises(AuthUnavailable):
        await ask(client, deadline=soon(0.0))

    assert auth.batches == []


async def test_a_question_ends_by_its_own_bound(auth: ScriptedAuth) -> None:
    async with open_scripted(auth, timeout_s=0.05) as client:
        started, waiting = start(client), start(client, 1)
        for asking in (started, waiting):
            with pytest.raises(AuthUnavailable):
                await asking

        assert client.snapshot().in_flight == 0


async def test_questions_that_never_found_a_lane_end_in_time_too(auth: ScriptedAuth) -> None:
    async with open_scripted(auth, timeout_s=0.05, channels_per_target=1) as client:
        asking = [start(client)]
        await turn_the_loop()
        asking.append(start(client, 1))
        outcomes = await asyncio.gather(*asking, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [AuthUnavailable] * 2
    assert len(auth.batches) == 1


async def test_a_patient_waiter_asks_again_when_the_question_ran_out_of_time(
    auth: ScriptedAuth,
) -> None:
    async with open_scripted(auth, timeout_s=0.05) as client:
        hurried, patient = start(client), start(client, deadline=soon(5.0))
        with pytest.raises(AuthUnavailable):
            await hurried
        auth.gate.set()

        assert await patient


async def test_a_flight_that_is_too_old_is_not_joined(auth: ScriptedAuth) -> None:
    clock = SkewedClock()
    async with open_scripted(auth, clock=clock, channels_per_target=3) as client:
        old = start(client)
        await turn_the_loop()
        clock.skew_s += 1.9
        joiner = start(client)
        await turn_the_loop()
        assert len(auth.batches) == 1
        clock.skew_s += 0.2
        newcomer = start(client)
        await turn_the_loop()
        assert len(auth.batches) == 2
        auth.allowed.clear()
        auth.gate.set()

        assert not any(await asyncio.gather(old, joiner, newcomer))


async def test_everyone_hears_of_a_failure_and_the_next_asks_anew(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.gate.set()
    auth.error = AuthUnavailable("overloaded", retry_after_s=3.0)

    outcomes = await asyncio.gather(*(ask(client) for _ in range(3)), return_exceptions=True)
    auth.error = None

    assert [type(outcome) for outcome in outcomes] == [AuthUnavailable] * 3
    assert await ask(client)
    assert client.snapshot().unavailable == 3


async def test_a_bug_is_raised_where_each_one_waits(client: AuthClient, auth: ScriptedAuth) -> None:
    auth.gate.set()
    auth.error = ZeroDivisionError()

    outcomes = await asyncio.gather(ask(client), ask(client, 1), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [ZeroDivisionError] * 2


async def test_a_transport_that_cancels_itself_is_unavailable(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    async def go_astray(_: object) -> None:
        raise asyncio.CancelledError

    auth.before_answer = go_astray

    with pytest.raises(AuthUnavailable):
        await ask(client)


async def test_too_many_questions_are_refused(auth: ScriptedAuth) -> None:
    async with open_scripted(auth, flights_max=2) as client:
        asking = [start(client, number) for number in range(2)]
        await turn_the_loop()

        with pytest.raises(AuthUnavailable):
            await ask(client, 2)
        with pytest.raises(AuthUnavailable):
            await client.validate_locals([query(2)])
        auth.gate.set()

        assert len(await asyncio.gather(*asking)) == 2


async def test_a_bad_id_is_refused_and_harms_no_other(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.gate.set()
    good = start(client)

    with pytest.raises(InvalidRequest, match=r"^local_id "):
        await client.validate_local(user_id="u0", organization_id="o", local_id="\n")

    assert await good


async def test_close_tells_those_who_wait(auth: ScriptedAuth) -> None:
    async with open_scripted(auth, channels_per_target=1) as client:
        asking = [start(client)]
        await turn_the_loop()
        asking.append(start(client, 1))
        many = asyncio.create_task(client.validate_locals([query(2)]))
        await turn_the_loop()
    outcomes = await asyncio.gather(*asking, many, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [Closed] * 3


async def test_close_ends_a_set_that_has_more_to_ask(auth: ScriptedAuth) -> None:
    async with open_scripted(auth) as client:
        many = asyncio.create_task(client.validate_locals([query(n) for n in range(5_000)]))
        await turn_the_loop()

    with pytest.raises(Closed):
        await many


async def test_close_in_the_very_turn_of_a_question_tells_it_too(auth: ScriptedAuth) -> None:
    async with open_scripted(auth) as client:
        asking = start(client)
        await asyncio.sleep(0)

    with pytest.raises(Closed):
        await asking


async def test_a_batch_is_asked_in_its_first_callers_context(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    caller: ContextVar[str] = ContextVar("caller")
    seen: list[str] = []

    async def note(_: object) -> None:
        seen.append(caller.get())

    async def ask_as(name: str, number: int) -> None:
        caller.set(name)
        await ask(client, number)

    auth.before_answer = note
    auth.gate.set()
    await asyncio.gather(ask_as("first", 0), ask_as("second", 1))

    assert seen == ["first"]


# Freshness.


async def test_an_answer_is_kept_under_the_lease_and_dropped_by_a_change(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.gate.set()
    lease(client)
    assert (await ask(client)).source is Source.GRPC
    assert (await ask(client)).source is Source.CACHE

    lease(client, revision=8, changes=(Change(8, "o", "u0", "l"),))

    assert client.snapshot().is_leased
    assert (await ask(client)).source is Source.GRPC


async def test_an_answer_that_a_change_overtook_is_told_and_not_kept(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    lease(client)
    asking = start(client)
    await turn_the_loop()
    lease(client, revision=8, changes=(Change(8, "o", "u0", "l"),))
    auth.gate.set()

    assert await asking
    assert client.snapshot().cache_size == 0


async def test_answers_of_unchanged_organizations_are_kept_even_then(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    lease(client)
    asking = start(client)
    await turn_the_loop()
    lease(client, revision=8, changes=(Change(8, "other"),))
    auth.gate.set()

    assert await asking
    assert client.snapshot().cache_size == 1


async def test_without_a_feed_nothing_is_kept(client: AuthClient, auth: ScriptedAuth) -> None:
    auth.gate.set()
    auth.as_of = AsOf()

    assert [(await ask(client)).source for _ in range(2)] == [Source.GRPC] * 2


async def test_without_a_feed_it_is_kept_for_the_bound_when_an_operator_says_so(
    auth: ScriptedAuth,
) -> None:
    auth.gate.set()
    auth.as_of = AsOf()
    clock = SkewedClock()
    async with open_scripted(auth, clock=clock, cache_without_feed=True) as client:
        first, second = await ask(client), await ask(client)
        clock.skew_s += 2.0
        third = await ask(client)

    assert [one.source for one in (first, second, third)] == [
        Source.GRPC,
        Source.CACHE,
        Source.GRPC,
    ]


async def test_an_old_yes_is_asked_again_and_then_not_told(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.gate.set()
    auth.as_of = AsOf(database_id="db", revision=7, age_s=2.1)

    with pytest.raises(AuthUnavailable, match="too old"):
        await ask(client)

    assert len(auth.batches) == 3


async def test_an_old_no_is_told(client: AuthClient, auth: ScriptedAuth) -> None:
    auth.gate.set()
    auth.as_of = AsOf(database_id="db", revision=7, age_s=2.1)

    assert not await ask(client, 1)


async def test_an_old_yes_is_told_when_the_lease_vouches_for_it(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.gate.set()
    lease(client)
    auth.as_of = AsOf(database_id="db", revision=7, age_s=2.1)

    assert await ask(client)


async def test_a_yes_that_was_long_on_its_way_is_asked_again(auth: ScriptedAuth) -> None:
    clock = SkewedClock()
    async with open_scripted(auth, lease_clock=clock) as client:
        asking = start(client)
        await turn_the_loop()
        clock.skew_s += 2.1
        auth.gate.set()

        assert await asking

    assert len(auth.batches) == 2


async def test_the_time_of_a_question_is_that_of_its_last_attempt(auth: ScriptedAuth) -> None:
    """Asked again on another path, an answer is no older for the first path's failure."""
    clock = SkewedClock()
    async with open_scripted(auth, lease_clock=clock, channels_per_target=1) as client:
        blocking = start(client, 1)
        await turn_the_loop()
        waiting = start(client)
        await turn_the_loop()
        clock.skew_s += 2.1  # while it waited for a lane
        auth.gate.set()
        await blocking

        assert await waiting

    assert auth.batches == [[row(1)], [row(0)]]


# Many at once.


async def test_many_keep_their_order_and_equal_ones_are_asked_once(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.gate.set()
    numbers = [2, 0, 1, 0, 2]

    decisions = await client.validate_locals([query(number) for number in numbers])

    assert [bool(decision) for decision in decisions] == [number == 0 for number in numbers]
    assert auth.batches == [[row(2), row(0), row(1)]]


async def test_many_more_than_may_be_under_way_are_asked_in_turn(auth: ScriptedAuth) -> None:
    auth.gate.set()
    async with open_scripted(auth, flights_max=3_000, timeout_s=60.0) as client:
        decisions = await client.validate_locals([query(number) for number in range(5_000)])

    assert [bool(decision) for decision in decisions] == [True] + [False] * 4_999


async def test_many_join_what_is_under_way(client: AuthClient, auth: ScriptedAuth) -> None:
    one = start(client)
    await turn_the_loop()
    many = asyncio.create_task(client.validate_locals([query(1), query(0)]))
    await turn_the_loop()
    auth.gate.set()

    assert [bool(decision) for decision in await many] == [False, True]
    assert await one
    assert auth.batches == [[row(0)], [row(1)]]


async def test_a_chunk_that_fails_fails_only_its_own_rows(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    failed: list[Row] = []

    async def fail_the_last(rows: list[Row]) -> None:
        if row(ROWS_MAX + 1) in rows:
            failed.extend(rows)
            raise AuthUnavailable("down", tried=("grpc://a",), retry_after_s=3.0)

    auth.before_answer = fail_the_last  # type: ignore[assignment] # rows are a list here
    auth.gate.set()
    queries = [query(number) for number in range(ROWS_MAX + 2)]

    with pytest.raises(PartlyUnavailable) as caught:
        await client.validate_locals([*queries, query(0)])

    decisions = caught.value.decisions
    assert len(decisions) == ROWS_MAX + 3
    unanswered = [row(number) for number in range(ROWS_MAX + 2) if decisions[number] is None]
    assert 0 < len(failed) < ROWS_MAX
    assert unanswered == failed
    assert decisions[-1] == decisions[0]
    assert (caught.value.tried, caught.value.retry_after_s) == (("grpc://a",), 3.0)
    assert client.snapshot().unavailable == 1


async def test_many_that_all_fail_are_unavailable(client: AuthClient, auth: ScriptedAuth) -> None:
    auth.gate.set()
    auth.error = AuthUnavailable("down", retry_after_s=3.0)

    with pytest.raises(AuthUnavailable) as caught:
        await client.validate_locals([query(0), query(1)])

    assert type(caught.value) is AuthUnavailable
    assert caught.value.retry_after_s == 3.0


async def test_a_bug_among_many_is_no_outage(client: AuthClient, auth: ScriptedAuth) -> None:
    auth.gate.set()
    auth.error = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        await client.validate_locals([query(0), query(1)])


async def test_at_its_deadline_a_set_has_what_came_in_time(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    auth.gate.set()
    lease(client)
    await ask(client)
    auth.gate.clear()

    with pytest.raises(PartlyUnavailable) as caught:
        await client.validate_locals([query(0), query(1)], deadline=soon(0.02))
    with pytest.raises(AuthUnavailable) as missed:
        await client.validate_locals([query(1)], deadline=soon(0.0))

    assert [bool(decision) for decision in caught.value.decisions] == [True, False]
    assert caught.value.decisions[1] is None
    assert type(missed.value) is AuthUnavailable


async def test_a_patient_set_asks_again_when_the_question_ran_out_of_time(
    auth: ScriptedAuth,
) -> None:
    async with open_scripted(auth, timeout_s=0.05) as client:
        hurried = start(client)
        many = asyncio.create_task(client.validate_locals([query(0), query(1)], deadline=soon(5.0)))
        with pytest.raises(AuthUnavailable):
            await hurried
        auth.gate.set()

        assert [bool(decision) for decision in await many] == [True, False]


async def test_a_yes_from_the_cache_is_not_told_after_waiting_too_long_for_the_rest(
    auth: ScriptedAuth,
) -> None:
    clock = SkewedClock()
    async with open_scripted(auth, lease_clock=clock) as client:
        auth.gate.set()
        lease(client)
        assert await ask(client)
        auth.gate.clear()
        auth.allowed.clear()  # revoked, and nobody tells us
        many = asyncio.create_task(client.validate_locals([query(0), query(1)]))
        await turn_the_loop()
        clock.skew_s += 2.1
        auth.gate.set()

        assert not any(await many)


async def test_at_the_deadline_an_old_yes_counts_as_unanswered(auth: ScriptedAuth) -> None:
    clock = SkewedClock()
    async with open_scripted(auth, lease_clock=clock) as client:
        auth.gate.set()
        lease(client)
        await ask(client)
        auth.gate.clear()
        many = asyncio.create_task(
            client.validate_locals([query(0), query(1)], deadline=soon(0.05))
        )
        await turn_the_loop()
        clock.skew_s += 2.1

        with pytest.raises(AuthUnavailable) as caught:
            await many

    assert type(caught.value) is AuthUnavailable


async def test_a_set_that_is_cancelled_harms_no_other(
    client: AuthClient, auth: ScriptedAuth
) -> None:
    many = asyncio.create_task(client.validate_locals([query(0), query(1)]))
    await turn_the_loop()
    one = start(client)
    many.cancel()
    await turn_the_loop()
    auth.gate.set()

    assert await one
    with pytest.raises(asyncio.CancelledError):
        await many


async def test_an_answer_of_the_wrong_length_is_a_bug_and_no_decision(
    client: AuthClient, auth: ScriptedAuth, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_short(rows: object, *, deadline: Deadline) -> Checked:
        return Checked(reasons=[Reason.ALLOWED], local_names=[""], as_of=auth.as_of)

    monkeypatch.setattr(ScriptedAuth, "check_locals", staticmethod(too_short))

    outcomes = await asyncio.gather(ask(client), ask(client, 1), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [AssertionError] * 2
