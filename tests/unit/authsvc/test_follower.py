"""Following the store: at once when it signals, soon when asked, and in a second in any case."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from authsvc.changes import ChangePage
from authsvc.follower import PACE_S, POLL_S, READ_TIMEOUT_S, Follower, follow
from authsvc.freshness import LEASE_S
from authsvc.knowledge import Knowledge
from tests.fakes import FakeStore
from tests.simulation.virtual_loop import Timeline, VirtualLoop


class Setting:
    def __init__(self) -> None:
        self.store = FakeStore()
        self.knowledge = Knowledge(records_weight_max=1_000)
        self.bugs: list[BaseException] = []
        self.loop = VirtualLoop(Timeline())

    def run(self, story: Callable[[Follower], Coroutine[Any, Any, None]]) -> None:
        """The story, while the store is followed and has been read once."""

        async def followed() -> None:
            async with follow(
                self.store,
                self.knowledge,
                clock=self.loop.time,
                report_bug=self.bugs.append,
            ) as follower:
                await asyncio.sleep(0.001)
                await story(follower)

        try:
            self.loop.timeline.run(self.loop, followed())
        finally:
            self.loop.close()

    @property
    def is_leased(self) -> bool:
        return self.knowledge.freshness.is_leased(self.loop.time())


@pytest.fixture
def a() -> Setting:
    return Setting()


def test_a_signalled_change_is_known_at_once(a: Setting) -> None:
    async def story(_: Follower) -> None:
        a.store.put_organization()
        await asyncio.sleep(0.0001)
        assert a.knowledge.freshness.revision == 1

    a.run(story)


def test_a_change_that_nobody_signalled_is_known_within_a_second(a: Setting) -> None:
    async def story(_: Follower) -> None:
        a.store.is_signalling = False
        a.store.put_organization()
        await asyncio.sleep(POLL_S)
        assert a.knowledge.freshness.revision == 1

    a.run(story)


def test_however_many_ask_reads_keep_their_pace(a: Setting) -> None:
    async def story(follower: Follower) -> None:
        before = a.store.change_reads
        for _ in range(100):
            number = follower.ask()
            await asyncio.sleep(PACE_S / 20)
        await asyncio.sleep(PACE_S)
        assert follower.done >= number
        assert a.store.change_reads - before <= 7

    a.run(story)


def test_a_read_that_was_asked_for_starts_after_the_asking(a: Setting) -> None:
    async def story(follower: Follower) -> None:
        a.store.feed_gate.clear()
        follower.on_change()
        await asyncio.sleep(0.0001)  # a read is under way, with what it has seen in hand
        number = follower.ask()
        a.store.is_signalling = False
        a.store.put_organization()
        a.store.feed_gate.set()
        await asyncio.sleep(0.0001)
        assert follower.done == number - 1
        await asyncio.sleep(PACE_S)
        assert follower.done >= number
        assert a.knowledge.freshness.revision == 1

    a.run(story)


def test_the_lease_lapses_while_the_store_is_down_and_is_back_within_a_second_of_it(
    a: Setting,
) -> None:
    async def story(_: Follower) -> None:
        assert a.is_leased
        a.store.is_down = True
        await asyncio.sleep(LEASE_S + 10)
        assert not a.is_leased
        a.store.is_down = False
        await asyncio.sleep(1.0)
        assert a.is_leased

    a.run(story)


def test_a_store_that_hangs_does_not_hang_the_follower(a: Setting) -> None:
    async def story(_: Follower) -> None:
        a.store.feed_gate.clear()
        await asyncio.sleep(POLL_S + LEASE_S)
        assert not a.is_leased
        a.store.feed_gate.set()
        await asyncio.sleep(READ_TIMEOUT_S)
        assert a.is_leased

    a.run(story)


def test_a_bug_in_reading_is_reported_and_the_following_goes_on(a: Setting) -> None:
    async def story(_: Follower) -> None:
        page_since = a.store.page_since
        a.store.page_since = broken  # type: ignore[method-assign] # for a while
        await asyncio.sleep(POLL_S)
        assert [type(bug) for bug in a.bugs][:1] == [ZeroDivisionError]
        a.store.page_since = page_since  # type: ignore[method-assign] # as it was
        await asyncio.sleep(POLL_S)
        assert a.is_leased

    def broken(database_id: str, after: int) -> ChangePage:
        raise ZeroDivisionError

    a.run(story)


def test_a_read_from_before_all_was_forgotten_is_done_over(a: Setting) -> None:
    async def story(follower: Follower) -> None:
        a.store.feed_gate.clear()
        follower.on_change()
        await asyncio.sleep(0.0001)
        done = follower.done
        a.store.database_id = "d2"
        a.knowledge.learn(
            a.store.page_since("", 0),
            asked_at=a.knowledge.freshness.position(),
            read_started_at=a.loop.time(),
        )
        a.store.feed_gate.set()
        await asyncio.sleep(0.0001)
        assert follower.done == done
        await asyncio.sleep(PACE_S + 0.1)
        assert follower.done > done

    a.run(story)


def test_listeners_hear_of_each_read_until_they_leave(a: Setting) -> None:
    async def story(follower: Follower) -> None:
        heard: list[int] = []
        listener = lambda: heard.append(follower.done)  # noqa: E731 # the same one twice
        follower.subscribe(listener)
        a.store.put_organization()
        await asyncio.sleep(0.0001)
        assert heard == [follower.done]
        follower.unsubscribe(listener)
        a.store.put_organization()
        await asyncio.sleep(0.0001)
        assert len(heard) == 1

    a.run(story)


def test_nothing_runs_on_when_the_following_has_ended(a: Setting) -> None:
    async def story(_: Follower) -> None:
        pass

    async def followed() -> None:
        async with follow(
            a.store,
            a.knowledge,
            clock=a.loop.time,
            report_bug=a.bugs.append,
        ) as follower:
            await story(follower)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert a.store.listeners == set()

    a.loop.timeline.run(a.loop, followed())
    a.loop.close()
