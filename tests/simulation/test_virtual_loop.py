"""The loops that the simulation runs on keep to asyncio's rules, and to one time."""

import asyncio
from collections.abc import Iterator
from functools import partial
from time import perf_counter

import pytest

from tests.simulation.virtual_loop import Timeline, VirtualLoop, WaitsForever


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


@pytest.fixture
def loop(timeline: Timeline) -> Iterator[VirtualLoop]:
    loop = VirtualLoop(timeline, offset_s=77.0)
    yield loop
    loop.close()


@pytest.fixture
def other(timeline: Timeline) -> Iterator[VirtualLoop]:
    loop = VirtualLoop(timeline)
    yield loop
    loop.close()


def test_an_hour_passes_in_no_time(timeline: Timeline, loop: VirtualLoop) -> None:
    async def sleep() -> tuple[float, float]:
        before = loop.time()
        await asyncio.sleep(3_600)
        return before, loop.time()

    began = perf_counter()
    before, after = timeline.run(loop, sleep())

    assert after - before == pytest.approx(3_600)
    assert perf_counter() - began < 5.0


def test_timers_of_two_loops_fire_in_the_order_of_the_one_time(
    timeline: Timeline, loop: VirtualLoop, other: VirtualLoop
) -> None:
    fired: list[str] = []
    for delay_s, name in ((0.3, "c"), (0.1, "a")):
        loop.deliver(timeline.now + delay_s, partial(fired.append, name))
    for delay_s, name in ((0.4, "d"), (0.2, "b")):
        other.deliver(timeline.now + delay_s, partial(fired.append, name))

    timeline.run(loop, asyncio.sleep(1.0))

    assert fired == ["a", "b", "c", "d"]


def test_a_held_loop_stands_still_and_finds_its_clock_moved_on(
    timeline: Timeline, loop: VirtualLoop, other: VirtualLoop
) -> None:
    seen: list[float] = []
    other.deliver(timeline.now + 0.1, lambda: seen.append(other.time()))
    began = timeline.now
    other.is_held = True

    timeline.run(loop, asyncio.sleep(5.0))
    assert seen == []
    other.is_held = False
    timeline.step()

    assert seen == [pytest.approx(began + 5.0)]


def test_a_frozen_clock_stands_for_that_many_turns(timeline: Timeline, loop: VirtualLoop) -> None:
    async def read_each_turn() -> list[float]:
        read = []
        for _ in range(4):
            read.append(loop.time() - loop.offset_s)
            await asyncio.sleep(0)
        return read

    began = timeline.now
    timeline.run(loop, asyncio.sleep(1.0))
    loop.freeze_clock(began, turns=2)
    read = timeline.run(loop, read_each_turn())

    assert read == [began, began, timeline.now, timeline.now]


def test_a_wait_without_end_raises(timeline: Timeline, loop: VirtualLoop) -> None:
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(WaitsForever):
        timeline.run(loop, wait())
    timeline.end(loop)


def test_a_moment_without_end_raises(timeline: Timeline, loop: VirtualLoop) -> None:
    async def turn() -> None:
        while True:  # noqa: ASYNC110 # it is to go round in a circle
            await asyncio.sleep(0)

    with pytest.raises(WaitsForever):
        timeline.run(loop, turn())
    timeline.end(loop)
