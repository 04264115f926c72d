"""A yes that came in time, to one who is woken too late for it, is not told."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from catalogsvc.authz import AuthClient, LocalQuery
from catalogsvc.authz.errors import AuthUnavailable, Closed
from catalogsvc.authz.transport import AsOf
from svckit.deadline import Deadline
from tests.unit.catalogsvc.authz.scripted import ScriptedAuth, SkewedClock, open_scripted, row

MAX_STALENESS_S = 2.0
USER, ORGANIZATION, LOCAL = row(0)

Ask = Callable[[AuthClient, Deadline | None], Awaitable[object]]


async def one(client: AuthClient, deadline: Deadline | None) -> object:
    return await client.validate_local(
        user_id=USER, organization_id=ORGANIZATION, local_id=LOCAL, deadline=deadline
    )


async def a_set(client: AuthClient, deadline: Deadline | None) -> object:
    query = LocalQuery(user_id=USER, organization_id=ORGANIZATION, local_id=LOCAL)
    return await client.validate_locals([query], deadline=deadline)


async def a_token(client: AuthClient, deadline: Deadline | None) -> object:
    return await client.verify_token("t", deadline=deadline)


async def permissions(client: AuthClient, deadline: Deadline | None) -> object:
    return await client.get_user_permissions(user_id="u", deadline=deadline)


class HeldUp(ScriptedAuth):
    """After the first `times` answers the process stands still before anyone is woken."""

    times = 1
    clock: SkewedClock

    async def _answer(self) -> AsOf:
        as_of = await super()._answer()
        if self.asked <= self.times:
            asyncio.get_running_loop().call_soon(self._stand_still)
        return as_of

    def _stand_still(self) -> None:
        self.clock.skew_s += MAX_STALENESS_S + 0.1


def held_up(*, times: int) -> HeldUp:
    auth = HeldUp(allowed={row(0)})
    auth.clock, auth.times = SkewedClock(), times
    auth.gate.set()
    return auth


ASKS: list[Ask] = [one, a_set, a_token, permissions]


@pytest.mark.parametrize("ask", ASKS)
async def test_whoever_is_woken_too_late_asks_again(ask: Ask) -> None:
    auth = held_up(times=1)
    async with open_scripted(auth, lease_clock=auth.clock) as client:
        assert await ask(client, None)

    assert auth.asked == 2


@pytest.mark.parametrize("ask", ASKS)
async def test_whoever_is_always_woken_too_late_gets_no_yes(ask: Ask) -> None:
    auth = held_up(times=10_000)
    async with open_scripted(auth, lease_clock=auth.clock) as client:
        soon = Deadline.after(0.2, now=asyncio.get_running_loop().time())
        with pytest.raises(AuthUnavailable):
            await ask(client, soon)


async def test_a_no_is_told_however_late() -> None:
    auth = held_up(times=10_000)
    auth.allowed.clear()
    async with open_scripted(auth, lease_clock=auth.clock) as client:
        assert not await one(client, None)

    assert auth.asked == 1


async def test_nobody_boards_in_the_turn_of_the_close() -> None:
    auth = held_up(times=0)
    client = open_scripted(auth)
    async with client:
        checks = client._checks
        before = checks.ask(row(0), None)
        closing = checks.close(timeout_s=1)
        with pytest.raises(StopIteration):
            closing.send(None)

        with pytest.raises(Closed):
            checks.ask(row(1), None)
        assert before.done()
