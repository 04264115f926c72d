"""One Watch stream, on virtual time: pages, ticks, and what a client may do wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from authsvc.access_v1.watching import (
    PAGE_ROWS_MAX,
    WatchAsked,
    WatchPage,
    WatchReply,
    WatchStream,
)
from authsvc.follower import POLL_S, Follower, follow
from authsvc.knowledge import Knowledge
from svckit.errors import InvalidRequest
from tests.fakes import FakeStore
from tests.simulation.virtual_loop import Timeline, VirtualLoop

SOON_S = 0.1


class Watcher:
    """A client: asks what a test tells it to, and keeps what it hears."""

    def __init__(self, follower: Follower, knowledge: Knowledge) -> None:
        self.heard: list[WatchReply] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self._asked: asyncio.Queue[WatchAsked | None] = asyncio.Queue()
        self.stream = WatchStream(follower, knowledge.log, send=self._hear)
        self.serving = asyncio.create_task(self.stream.serve(self._requests()))

    async def ask(self, tick: int, *, database_id: str = "", after: int = 0) -> list[WatchReply]:
        """What is heard soon after it."""
        self.heard.clear()
        await self._asked.put(WatchAsked(tick=tick, database_id=database_id, after_revision=after))
        await asyncio.sleep(SOON_S)
        return self.heard

    async def page(self, tick: int, **position: Any) -> WatchPage:
        (reply,) = await self.ask(tick, **position)
        assert isinstance(reply, WatchPage)
        return reply

    async def leave(self) -> None:
        self.serving.cancel()
        await asyncio.wait({self.serving})

    async def _hear(self, reply: WatchReply) -> None:
        await self.reads.wait()
        self.heard.append(reply)

    async def _requests(self) -> AsyncIterator[WatchAsked]:
        while (asked := await self._asked.get()) is not None:
            yield asked

    async def ask_no_more(self) -> None:
        await self._asked.put(None)
        await asyncio.sleep(SOON_S)


class Setting:
    def __init__(self) -> None:
        self.store = FakeStore()
        self.store.put_organization()
        self.store.put_user("u1")
        self.knowledge = Knowledge(records_weight_max=1_000)
        self.loop = VirtualLoop(Timeline())

    def run(self, story: Callable[[Watcher], Coroutine[Any, Any, None]]) -> None:
        async def watched() -> None:
            async with follow(
                self.store,
                self.knowledge,
                clock=self.loop.time,
                report_bug=print,
            ) as follower:
                watcher = Watcher(follower, self.knowledge)
                try:
                    await story(watcher)
                finally:
                    await watcher.leave()

        try:
            self.loop.timeline.run(self.loop, watched())
        finally:
            self.loop.close()


@pytest.fixture
def a() -> Setting:
    return Setting()


def pages(replies: list[WatchReply]) -> list[WatchPage]:
    assert all(isinstance(reply, WatchPage) for reply in replies)
    return [reply for reply in replies if isinstance(reply, WatchPage)]


def test_from_scratch_the_first_page_is_a_reset_with_the_history(a: Setting) -> None:
    async def story(watcher: Watcher) -> None:
        told = await watcher.page(7)
        assert (told.tick, told.page.is_gap, told.page.after, told.page.revision) == (7, True, 0, 2)
        assert [change.user_id for change in told.page.changes] == [None, "u1"]

    a.run(story)


def test_who_comes_back_hears_what_they_missed_and_nothing_else(a: Setting) -> None:
    async def story(watcher: Watcher) -> None:
        told = await watcher.page(7, database_id="d1", after=1)
        assert (told.tick, told.page.is_gap, told.page.after, told.page.revision) == (
            7,
            False,
            1,
            2,
        )
        assert [change.revision for change in told.page.changes] == [2]

    a.run(story)


def test_each_tick_comes_back_once_all_that_was_committed_before_it_is_told(a: Setting) -> None:
    async def story(watcher: Watcher) -> None:
        await watcher.page(1)
        a.store.is_signalling = False
        a.store.put_user("u2")
        told = await watcher.page(2)
        assert (told.tick, told.page.after, told.page.revision) == (2, 2, 3)
        quiet = await watcher.page(3)
        assert (quiet.tick, quiet.page.changes) == (3, ())

    a.run(story)


def test_changes_are_told_unasked_as_they_happen(a: Setting) -> None:
    async def story(watcher: Watcher) -> None:
        await watcher.page(1)
        watcher.heard.clear()
        a.store.put_user("u2")
        await asyncio.sleep(0.001)
        (told,) = pages(watcher.heard)
        assert (told.tick, told.page.revision) == (0, 3)

    a.run(story)


def test_a_tick_of_a_client_that_knows_more_waits_for_a_read_that_knows_as_much(
    a: Setting,
) -> None:
    async def story(watcher: Watcher) -> None:
        await asyncio.sleep(0.001)
        a.store.is_signalling = False
        a.store.put_user("u2")  # another process told this client already
        told = await watcher.page(1, database_id="d1", after=3)
        assert (told.page.is_gap, told.page.after, told.page.revision) == (False, 3, 3)

    a.run(story)


def test_many_changes_come_in_parts_and_only_the_last_has_the_tick(a: Setting) -> None:
    async def story(watcher: Watcher) -> None:
        await watcher.page(1)
        a.store.is_signalling = False
        for number in range(2 * PAGE_ROWS_MAX + 1):
            a.store.put_user(f"v{number}")
        told = pages(await watcher.ask(2))
        assert [part.tick for part in told] == [0, 0, 2]
        assert [len(part.page.changes) for part in told] == [500, 500, 1]
        assert [part.page.after for part in told[1:]] == [part.page.revision for part in told[:-1]]

    a.run(story)


def test_a_bad_tick_is_refused_in_band_and_the_feed_goes_on(a: Setting) -> None:
    async def story(watcher: Watcher) -> None:
        (zero,) = await watcher.ask(0)
        await watcher.page(5)
        (back,) = await watcher.ask(4)
        again = await watcher.page(5)
        assert isinstance(zero, InvalidRequest)
        assert isinstance(back, InvalidRequest)
        assert (zero.detail, back.detail) == ("tick is 0", "tick goes backwards")
        assert again.tick == 5

    a.run(story)


def test_a_database_that_was_replaced_is_a_reset(a: Setting) -> None:
    async def story(watcher: Watcher) -> None:
        await watcher.page(1)
        a.store.database_id = "d2"
        told = await watcher.page(2)
        assert (told.tick, told.page.database_id, told.page.is_gap) == (2, "d2", True)

    a.run(story)


def test_no_tick_comes_back_while_the_store_is_down(a: Setting) -> None:
    async def story(watcher: Watcher) -> None:
        await watcher.page(1)
        a.store.is_down = True
        assert await watcher.ask(2) == []
        a.store.is_down = False
        await asyncio.sleep(POLL_S)
        assert [told.tick for told in pages(watcher.heard)] == [2]

    a.run(story)


def test_ticks_that_come_faster_than_reads_still_come_back(a: Setting) -> None:
    async def story(watcher: Watcher) -> None:
        await watcher.page(1)
        a.store.feed_gate.clear()
        for tick in range(2, 20):
            await watcher.ask(tick)
        assert watcher.heard == []
        a.store.feed_gate.set()
        await asyncio.sleep(POLL_S)
        assert pages(watcher.heard)[-1].tick == 19

    a.run(story)


def test_a_client_that_does_not_read_pins_nothing_but_its_place_in_the_log(a: Setting) -> None:
    async def story(watcher: Watcher) -> None:
        await watcher.page(1)
        watcher.reads.clear()
        for tick in range(2, 50):
            a.store.put_user(f"v{tick}")
            await watcher.ask(tick)
        assert len(watcher.stream._ticks) <= 3
        watcher.reads.set()
        await asyncio.sleep(POLL_S)
        told = pages(watcher.heard)
        assert (told[-1].tick, told[-1].page.revision) == (49, a.store.revision)
        assert len(told) <= 3

    a.run(story)


def test_what_is_being_sent_when_the_client_asks_no_more_is_sent_whole_and_nothing_after(
    a: Setting,
) -> None:
    async def story(watcher: Watcher) -> None:
        await watcher.page(1)
        watcher.reads.clear()
        assert await watcher.ask(2) == []
        a.store.put_user("u2")
        await watcher.ask_no_more()
        assert not watcher.serving.done()
        watcher.reads.set()
        await watcher.serving
        assert [told.tick for told in pages(watcher.heard)] == [2]

    a.run(story)


def test_who_asks_no_more_while_nothing_is_sent_is_let_go_at_once(a: Setting) -> None:
    async def story(watcher: Watcher) -> None:
        await watcher.page(1)
        await watcher.ask_no_more()
        assert watcher.serving.done()

    a.run(story)
