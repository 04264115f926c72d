"""How a port is, asked by many: one check at a time, shared for a second. On virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from svckit.grpc_health import SHARED_S, Health, SharedHealth
from tests.simulation.virtual_loop import Timeline, VirtualLoop

CHECK_S = 0.5


class Port:
    def __init__(self) -> None:
        self.checks = 0
        self.health = Health.SERVING
        self.shared = SharedHealth(self.check)

    async def check(self) -> Health:
        self.checks += 1
        await asyncio.sleep(CHECK_S)
        return self.health

    async def ask(self, timeout_s: float = 5.0) -> Health:
        return await self.shared.health(timeout_s=timeout_s)


def run(story: Callable[[Port], Coroutine[Any, Any, None]]) -> None:
    loop = VirtualLoop(Timeline())
    try:
        loop.timeline.run(loop, story(Port()))
    finally:
        loop.close()


def test_however_many_ask_one_check_is_under_way_and_its_answer_is_everyones() -> None:
    async def story(port: Port) -> None:
        assert set(await asyncio.gather(*(port.ask() for _ in range(100)))) == {Health.SERVING}
        assert port.checks == 1

    run(story)


def test_an_answer_is_good_for_a_second_and_no_longer() -> None:
    async def story(port: Port) -> None:
        assert await port.ask() is Health.SERVING
        port.health = Health.NOT_SERVING
        await asyncio.sleep(SHARED_S * 0.9)
        assert await port.ask() is Health.SERVING
        await asyncio.sleep(SHARED_S * 0.2)
        assert await port.ask() is Health.NOT_SERVING
        assert port.checks == 2

    run(story)


def test_nobody_waits_for_others_beyond_their_bound() -> None:
    async def story(port: Port) -> None:
        first, second = await asyncio.gather(port.ask(), port.ask(timeout_s=CHECK_S / 2))
        assert (first, second) == (Health.SERVING, Health.UNREACHABLE)

    run(story)


def test_one_who_leaves_leaves_the_check_to_the_next() -> None:
    async def story(port: Port) -> None:
        async with asyncio.TaskGroup() as tasks:
            leaver = tasks.create_task(port.ask())
            next_ = tasks.create_task(port.ask())
            await asyncio.sleep(CHECK_S / 2)
            leaver.cancel()
        assert (next_.result(), port.checks) == (Health.SERVING, 2)

    run(story)
