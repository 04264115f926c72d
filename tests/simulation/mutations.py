"""The rules of freshness taken away one by one, to show that the simulation would notice.

Each takes a `patch` that replaces an attribute of a class for the length of a test.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from authsvc.access_v1.watching import WatchStream
from authsvc.change_log import ChangeLog
from authsvc.changes import ChangePage
from authsvc.follower import Follower
from authsvc.freshness import Freshness as ServerFreshness
from authsvc.knowledge import Knowledge
from catalogsvc.authz import watcher
from catalogsvc.authz.entries import Entries
from catalogsvc.authz.feed import Page
from catalogsvc.authz.freshness import Freshness
from catalogsvc.authz.watcher import Watcher
from tests.simulation import wires
from tests.simulation.database import Copy, Database
from tests.simulation.process import Process

__all__ = ["MUTATIONS", "Patch"]

Patch: TypeAlias = Callable[[Any, str, Any], None]


def keep_old_news(patch: Patch) -> None:
    """The store rule: whatever comes is kept, and counts as new when it comes."""
    put = Entries.put

    def put_as_new(
        self: Entries[Any, Any], key: Any, value: Any, *, revision: int, until: float
    ) -> None:
        put(self, key, value, revision=self._freshness.position.revision, until=until)

    patch(Freshness, "may_keep", lambda *_: True)
    patch(Freshness, "may_keep_any", lambda *_: True)
    patch(Entries, "put", put_as_new)


def lease_from_receipt(patch: Patch) -> None:
    """A lease counts from when the echo of the tick has come, not from when the tick was sent."""
    take = Watcher._take

    def take_and_extend(self: Watcher, page: Page) -> None:
        take(self, page)
        if page.tick:
            freshness = self._freshness
            freshness.lease_until = self._lease_clock() + freshness._max_staleness_s

    patch(Watcher, "_take", take_and_extend)


def lease_on_the_loops_clock(patch: Patch) -> None:
    """The client's lease is measured on a clock that stands while its machine sleeps."""
    patch(Process, "lease_clock", lambda self: self.loop.time() + 10_000.0)


def no_reset(patch: Patch) -> None:
    """A page that says that everything must be forgotten is taken for an ordinary one."""
    apply = Freshness.apply

    def apply_as_ordinary(self: Freshness, page: Page) -> bool:
        if not self.position.database_id or not page.is_reset:
            return apply(self, page)
        self.position = replace(self.position, database_id=page.database_id, revision=page.revision)
        if page.tick:
            self._extend(page.tick)
        return False

    patch(Freshness, "apply", apply_as_ordinary)


def server_lease_without_end(patch: Patch) -> None:
    """Auth answers from what it knew, however long ago, and says that it is fresh."""
    patch(ServerFreshness, "is_leased", lambda self, _now: self.revision > 0)
    patch(ServerFreshness, "age_s", lambda *_: 0.0)


def server_says_nothing_of_age(patch: Patch) -> None:
    """The young rule has nothing to go by."""
    patch(wires, "age_ms", lambda _: 0)


def server_keeps_old_records(patch: Patch) -> None:
    """Records that were read before a change, and arrive after it, are kept."""
    patch(Knowledge, "_is_true", lambda *_: True)
    patch(ServerFreshness, "last_change", lambda *_: 0)


def server_echoes_before_it_reads(patch: Patch) -> None:
    """A tick is told at once: the newest revision was read before it came."""
    ask = Follower.ask

    def ask_for_the_last(self: Follower) -> int:
        ask(self)
        return self.done

    def take(self: WatchStream, request: Any) -> Any:
        answer = plain_take(self, request)
        self._on_read()
        return answer

    plain_take = WatchStream._take
    patch(WatchStream, "_take", take)
    patch(Follower, "ask", ask_for_the_last)


def changes_left_out(patch: Patch) -> None:
    """Each page lacks the last of its changes."""
    since = ChangeLog.since

    def since_but_one(self: ChangeLog, *args: Any, **kwargs: Any) -> ChangePage:
        page = since(self, *args, **kwargs)
        return replace(page, changes=page.changes[:-1])

    patch(ChangeLog, "since", since_but_one)


def no_young_rule(patch: Patch) -> None:
    """A yes that was long on its way is told all the same."""
    patch(Freshness, "young_until", lambda *_: float("inf"))


def no_patience_with_a_silent_feed(patch: Patch) -> None:
    """The other way round: a client waits for ever for a connection that says nothing any more."""
    patch(watcher, "PATIENCE_S", 1_000_000.0)


def restored_under_its_old_id(patch: Patch) -> None:
    """A backup whose revisions have caught up with what was known looks as if nothing were lost."""
    restore = Database.restore

    def restore_as_before(self: Database, copy: Copy, *, database_id: str) -> None:
        restore(self, copy, database_id=self.id)

    patch(Database, "restore", restore_as_before)


MUTATIONS: Mapping[str, Callable[[Patch], None]] = {
    mutate.__name__: mutate
    for mutate in (
        keep_old_news,
        lease_from_receipt,
        lease_on_the_loops_clock,
        no_reset,
        server_lease_without_end,
        server_says_nothing_of_age,
        server_keeps_old_records,
        server_echoes_before_it_reads,
        changes_left_out,
        no_young_rule,
        no_patience_with_a_silent_feed,
        restored_under_its_old_id,
    )
}
