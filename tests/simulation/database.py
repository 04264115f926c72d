"""Auth's database in memory, and the store that a replica reads it through, over the network."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from authsvc.access import AccessPage, LocalRecord, OrganizationRecord, UserRecord
from authsvc.changes import Change, ChangePage
from authsvc.store import Store, StoredKey
from authsvc.store.history import FeedRead, page_of, rows_max
from svckit.errors import Unavailable
from tests.simulation.network import Network
from tests.simulation.process import Process
from tests.simulation.truth import State, Truth

__all__ = ["Database", "Copy", "StoreOverNetwork", "READ_BOUND_S"]

A = TypeVar("A")

# When the driver gives a read up.
READ_BOUND_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    state: State
    log: tuple[Change, ...]
    trimmed_to: int


class Database:
    """What is committed is so at one moment, and is the next revision."""

    def __init__(self, home: Process, state: State, *, keys: tuple[StoredKey, ...]) -> None:
        self.home = home
        self.truth = Truth(home.timeline.now, state)
        self.keys = keys
        self.is_down = False
        self.is_hanging = False
        self.is_read_only = False
        self.listeners: list[Callable[[], None]] = []
        self.id = "database"
        self._log: list[Change] = []
        self._trimmed_to = state.revision

    @property
    def state(self) -> State:
        return self.truth.latest

    def commit(
        self,
        changes: Iterable[tuple[str, str | None, str | None]],
        *,
        users: Mapping[str, UserRecord] | None = None,
        organizations: Mapping[str, OrganizationRecord] | None = None,
        local_records: Mapping[str, LocalRecord] | None = None,
    ) -> None:
        """What differs from before, and whom that touches: (organization, user, local)."""
        before = self.state
        revision = before.revision + 1
        after = State(
            revision=revision,
            users={**before.users, **(users or {})},
            organizations={**before.organizations, **(organizations or {})},
            locals={**before.locals, **(local_records or {})},
        )
        self._log += [
            Change(revision=revision, organization_id=o, user_id=u, local_id=at)
            for o, u, at in changes
        ]
        self.truth.commit(self.home.timeline.now, after)
        for listener in self.listeners:
            listener()

    def trim(self, *, keep: int) -> None:
        """All but the newest revisions."""
        self._trimmed_to = max(self._trimmed_to, self.state.revision - keep)
        self._log = [change for change in self._log if change.revision > self._trimmed_to]

    def copy(self) -> Copy:
        return Copy(state=self.state, log=tuple(self._log), trimmed_to=self._trimmed_to)

    def restore(self, copy: Copy, *, database_id: str) -> None:
        """Its revisions are counted anew from there: only another id tells them from the lost."""
        self.id = database_id
        self._log = list(copy.log)
        self._trimmed_to = copy.trimmed_to
        self.truth.commit(self.home.timeline.now, copy.state)

    def changes_since(self, database_id: str, after: int) -> ChangePage:
        revision = self.state.revision
        is_in_log = database_id == self.id and self._trimmed_to <= after <= revision
        newest = [c for c in reversed(self._log) if not is_in_log or c.revision > after]
        read = FeedRead(
            database_id=self.id,
            revision=revision,
            trimmed_to=self._trimmed_to,
            newest=tuple(newest[: rows_max(database_id)]),
        )
        return page_of(read, database_id=database_id, after=after)

    def access(
        self,
        user_ids: Collection[str],
        organization_ids: Collection[str],
        local_ids: Collection[str],
        feed: ChangePage,
    ) -> AccessPage:
        state = self.state
        users = {user_id: state.users.get(user_id) for user_id in user_ids}
        theirs = {user.organization_id for user in users.values() if user is not None}
        return AccessPage(
            feed=feed,
            users=users,
            organizations={
                o: state.organizations.get(o) for o in sorted({*organization_ids, *theirs})
            },
            locals={local_id: state.locals.get(local_id) for local_id in local_ids},
        )


class StoreOverNetwork(Store):
    """Each read sees the database as of one moment between its beginning and its end."""

    def __init__(
        self, database: Database, network: Network, here: Process, counts: Counter[str]
    ) -> None:
        self._database = database
        self._network = network
        self._here = here
        self._counts = counts

    async def read_changes(self, *, database_id: str, after: int) -> ChangePage:
        page = await self._read(lambda: self._database.changes_since(database_id, after))
        self._counts["gaps read"] += page.is_gap
        return page

    async def read_access(
        self,
        *,
        user_ids: Collection[str],
        organization_ids: Collection[str],
        local_ids: Collection[str],
        database_id: str,
        after: int,
    ) -> AccessPage:
        # Sorted: the order of a set is another in each process.
        asked = (sorted(user_ids), sorted(organization_ids), sorted(local_ids))

        def read() -> AccessPage:
            feed = self._database.changes_since(database_id, after)
            return self._database.access(*asked, feed)

        return await self._read(read)

    async def signing_keys(self) -> tuple[StoredKey, ...]:
        return await self._read(lambda: self._database.keys)

    async def trim_changes(self, *, wall_now: float) -> None:
        """The simulation trims by itself."""

    async def ping(self) -> None:
        await self._read(lambda: None)

    @asynccontextmanager
    async def signals(self, on_change: Callable[[], None]) -> AsyncIterator[None]:
        send = partial(self._network.send, self._database.home, self._here, on_change)
        self._database.listeners.append(send)
        try:
            yield
        finally:
            self._database.listeners.remove(send)

    async def _read(self, read: Callable[[], A]) -> A:
        database, network, here = self._database, self._network, self._here
        self._counts["reads of the database"] += 1
        result: asyncio.Future[A] = here.loop.create_future()

        def fail() -> None:
            if not result.done():
                result.set_exception(Unavailable("the database is down"))

        def take(found: A) -> None:
            if not result.done():
                result.set_result(found)

        def serve() -> None:
            if database.is_down:
                network.send(database.home, here, fail)
            elif not database.is_hanging:
                network.send(database.home, here, partial(take, read()))

        network.send(here, database.home, serve)
        try:
            async with asyncio.timeout(READ_BOUND_S):
                return await result
        except TimeoutError as exc:
            raise Unavailable("the database does not answer") from exc
