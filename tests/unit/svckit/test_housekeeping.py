"""Housekeeping goes on whatever happens to it, and what happens around it goes on too."""

import asyncio

import pytest

from svckit.errors import Unavailable
from svckit.housekeeping import attempt, every

PERIOD_S = 60.0
TIMEOUT_S = 10.0


class Chores:
    """Each time the next of `troubles` is raised; None hangs."""

    def __init__(self, *troubles: Exception | None) -> None:
        self.troubles = list(troubles)
        self.times = 0
        self.bugs: list[BaseException] = []
        self.is_done = asyncio.Event()

    async def __call__(self) -> None:
        self.times += 1
        if not self.troubles:
            self.is_done.set()
            return
        trouble = self.troubles.pop(0)
        if trouble is None:
            await asyncio.Event().wait()
        else:
            raise trouble


async def test_the_work_goes_on_after_refusals_hangs_and_bugs_and_only_bugs_are_reported() -> None:
    chores = Chores(Unavailable("down"), None, LookupError("a bug"), TimeoutError())
    async with asyncio.timeout(5):
        async with every(
            0.001, chores, name="chores", timeout_s=0.01, report_bug=chores.bugs.append
        ):
            await chores.is_done.wait()

    assert [type(bug) for bug in chores.bugs] == [LookupError]
    assert not any(task.get_name() == "chores" for task in asyncio.all_tasks())


async def test_the_first_time_is_at_once_and_the_next_after_the_period() -> None:
    chores = Chores()
    async with every(
        PERIOD_S, chores, name="chores", timeout_s=TIMEOUT_S, report_bug=chores.bugs.append
    ):
        async with asyncio.timeout(5):
            await chores.is_done.wait()
        for _ in range(10):
            await asyncio.sleep(0)

    assert chores.times == 1


@pytest.mark.parametrize(
    ("trouble", "is_worth_another", "bugs"),
    [
        (Unavailable("down"), True, 0),
        (TimeoutError(), True, 0),
        (LookupError("a bug"), False, 1),
    ],
)
async def test_only_what_may_go_better_is_worth_another_try(
    trouble: Exception, is_worth_another: bool, bugs: int
) -> None:
    chores = Chores(trouble)

    again = await attempt(chores, timeout_s=TIMEOUT_S, report_bug=chores.bugs.append)

    assert (again, len(chores.bugs)) == (is_worth_another, bugs)


async def test_who_is_cancelled_ends() -> None:
    chores = Chores(None)
    working = asyncio.create_task(
        attempt(chores, timeout_s=TIMEOUT_S, report_bug=chores.bugs.append)
    )
    await asyncio.sleep(0)
    working.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working
    assert chores.bugs == []
