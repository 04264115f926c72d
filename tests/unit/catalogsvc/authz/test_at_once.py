"""Many at once, but not too many, and all or nothing."""

import asyncio

import pytest

from catalogsvc.authz.at_once import ask_at_once


async def test_answers_come_in_the_order_of_their_questions() -> None:
    async def ask(number: int) -> int:
        # The first ones take the most turns.
        for _ in range(5 - number):
            await asyncio.sleep(0)
        return number * 10

    assert await ask_at_once(ask, range(5), lanes_max=5) == [0, 10, 20, 30, 40]


@pytest.mark.parametrize(("lanes_max", "most"), [(1, 1), (3, 3), (50, 10)])
async def test_no_more_are_under_way_than_there_are_lanes(lanes_max: int, most: int) -> None:
    under_way: set[int] = set()
    seen: list[int] = []

    async def ask(number: int) -> None:
        under_way.add(number)
        seen.append(len(under_way))
        await asyncio.sleep(0)
        under_way.remove(number)

    await ask_at_once(ask, range(10), lanes_max=lanes_max)

    assert max(seen) == most


async def test_the_first_failure_is_raised_and_ends_the_others() -> None:
    ended: list[int] = []

    async def ask(number: int) -> None:
        if number == 1:
            raise ConnectionRefusedError
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    with pytest.raises(ConnectionRefusedError):
        await ask_at_once(ask, range(3), lanes_max=3)

    assert sorted(ended) == [0, 2]


async def test_who_is_cancelled_leaves_nothing_under_way() -> None:
    before = asyncio.all_tasks()

    async def ask(number: int) -> None:
        await asyncio.Event().wait()

    asking = asyncio.create_task(ask_at_once(ask, range(3), lanes_max=3))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    assert asyncio.all_tasks() == before
