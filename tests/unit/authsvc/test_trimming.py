"""The change log is trimmed now and then, whatever went wrong the last time."""

import asyncio

from authsvc.trimming import TRIM_EVERY_S, trimming_changes
from tests.fakes import FakeStore
from tests.simulation.virtual_loop import Timeline, VirtualLoop


class Broken(FakeStore):
    """The first trim meets a bug."""

    tries = 0

    async def trim_changes(self, *, wall_now: float) -> None:
        self.tries += 1
        if self.tries == 1:
            raise LookupError("a bug")
        await super().trim_changes(wall_now=wall_now)


def test_the_log_is_trimmed_now_and_then_also_after_a_bug_and_after_an_outage() -> None:
    loop = VirtualLoop(Timeline())
    store = Broken()
    bugs: list[BaseException] = []

    async def served() -> None:
        async with trimming_changes(store, wall_clock=loop.time, report_bug=bugs.append):
            await asyncio.sleep(TRIM_EVERY_S / 2)
            store.is_down = True
            await asyncio.sleep(TRIM_EVERY_S)
            store.is_down = False
            await asyncio.sleep(TRIM_EVERY_S)

    try:
        loop.timeline.run(loop, served())
    finally:
        loop.close()

    assert [type(bug) for bug in bugs] == [LookupError]
    assert (store.tries, store.trims) == (3, 1)
