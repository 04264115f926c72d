"""The loop's clock is the monotonic one, and goes on while one turn of the loop lasts.

Else a loop that something blocks would make old decisions look young.
"""

import asyncio
import time
from collections.abc import Callable

import pytest
import uvloop

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
LOOPS = pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop])


@LOOPS
def test_it_is_the_monotonic_clock(make_loop: LoopFactory) -> None:
    async def apart_s() -> float:
        return abs(asyncio.get_running_loop().time() - time.monotonic())

    with asyncio.Runner(loop_factory=make_loop) as runner:
        assert runner.run(apart_s()) < 0.05


@LOOPS
def test_it_goes_on_while_a_turn_lasts(make_loop: LoopFactory) -> None:
    async def passed_s() -> float:
        before = asyncio.get_running_loop().time()
        time.sleep(0.1)  # noqa: ASYNC251 # the loop is to be blocked
        return asyncio.get_running_loop().time() - before

    with asyncio.Runner(loop_factory=make_loop) as runner:
        assert runner.run(passed_s()) >= 0.09
