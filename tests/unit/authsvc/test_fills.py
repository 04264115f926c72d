"""Reads of what is missing are shared, bounded, and no one's own."""

import asyncio

import pytest

from authsvc.fills import IDS_MAX, READS_MAX, RETRY_AFTER_S, WAITING_MAX, Fills
from authsvc.rows import Wanted
from svckit.errors import Overloaded, Unavailable


class Reader:
    """Reads wait while `gate` is cleared."""

    def __init__(self) -> None:
        self.read: list[frozenset[str]] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None
        self.fills = Fills(self)

    async def __call__(self, wanted: Wanted) -> None:
        self.read.append(frozenset(wanted.user_ids))
        await self.gate.wait()
        if self.error is not None:
            raise self.error

    def fill(self, *user_ids: str) -> "asyncio.Task[None]":
        return asyncio.create_task(self.fills.fill(Wanted(user_ids=set(user_ids))))

    async def is_idle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


async def test_what_is_missing_while_reads_are_under_way_is_read_together() -> None:
    reader = Reader()
    first = [reader.fill(f"u{n}") for n in range(READS_MAX)]
    await reader.is_idle()
    later = [reader.fill(f"v{n % 10}") for n in range(100)]
    await reader.is_idle()
    assert len(reader.read) == READS_MAX

    reader.gate.set()
    await asyncio.gather(*first, *later)

    assert reader.read[READS_MAX:] == [frozenset(f"v{n}" for n in range(10))]


async def test_a_read_that_began_before_is_not_joined() -> None:
    reader = Reader()
    before = reader.fill("u1")
    await reader.is_idle()
    after = reader.fill("u1")
    await reader.is_idle()
    reader.gate.set()
    await asyncio.gather(before, after)

    assert reader.read == [{"u1"}, {"u1"}]


async def test_no_read_has_more_than_is_good() -> None:
    reader = Reader()
    busy = [reader.fill(f"u{n}") for n in range(READS_MAX)]
    await reader.is_idle()
    half = IDS_MAX // 2
    later = [reader.fill(*(f"{part}-{n}" for n in range(half))) for part in "abc"]
    await reader.is_idle()
    reader.gate.set()
    await asyncio.gather(*busy, *later)

    assert [len(ids) for ids in reader.read[READS_MAX:]] == [2 * half, half]


async def test_whoever_leaves_harms_no_other() -> None:
    reader = Reader()
    leaving, staying = reader.fill("u1"), reader.fill("u1")
    await reader.is_idle()
    leaving.cancel()
    reader.gate.set()

    await staying
    with pytest.raises(asyncio.CancelledError):
        await leaving


def full(part: int) -> list[str]:
    """As much as one read may have, so that no other joins it."""
    return [f"{part}-{n}" for n in range(IDS_MAX)]


async def test_a_read_that_everybody_has_left_is_not_made() -> None:
    reader = Reader()
    busy = [reader.fill(f"u{n}") for n in range(READS_MAX)]
    leaving, staying = [reader.fill(*full(0))], [reader.fill(*full(1)), reader.fill("w")]
    leaving.append(reader.fill("w"))
    await reader.is_idle()
    for task in leaving:
        task.cancel()
    await reader.is_idle()
    reader.gate.set()
    await asyncio.gather(*busy, *staying)

    assert reader.read[READS_MAX:] == [frozenset(full(1)), {"w"}]


async def test_beyond_a_bound_it_is_said_when_to_come_back_and_who_leaves_makes_room() -> None:
    reader = Reader()
    busy = [reader.fill(f"u{n}") for n in range(READS_MAX)]
    waiting = [reader.fill(*full(part)) for part in range(WAITING_MAX)]
    await reader.is_idle()
    with pytest.raises(Overloaded) as refused:
        await reader.fill("w")
    waiting.pop().cancel()
    await reader.is_idle()
    later = reader.fill("w")
    await reader.is_idle()
    reader.gate.set()
    await asyncio.gather(*busy, *waiting, later)

    assert refused.value.retry_after_s == RETRY_AFTER_S
    assert len(reader.read) == READS_MAX + WAITING_MAX


async def test_a_failure_is_raised_for_each_who_waited_and_the_next_read_is_tried() -> None:
    reader = Reader()
    reader.error = Unavailable("down")
    reader.gate.set()
    for outcome in await asyncio.gather(
        reader.fill("u1"), reader.fill("u2"), return_exceptions=True
    ):
        assert isinstance(outcome, Unavailable)

    reader.error = None
    await reader.fill("u1")


async def test_a_read_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authsvc.fills.READ_TIMEOUT_S", 0.01)
    reader = Reader()

    with pytest.raises(Unavailable, match="in time"):
        await reader.fill("u1")


async def test_closed_nothing_is_under_way_and_nobody_waits() -> None:
    reader = Reader()
    waiting = [reader.fill(f"u{n}") for n in range(READS_MAX + 3)]
    await reader.is_idle()

    await reader.fills.close()

    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert asyncio.all_tasks() == {asyncio.current_task()}
