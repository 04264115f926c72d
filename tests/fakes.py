"""Auth's store in memory, for tests of what stands on it; it can be slow and it can fail."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from authsvc.access import AccessPage, LocalRecord, OrganizationRecord, UserRecord
from authsvc.audit import Actor
from authsvc.changes import Change, ChangePage
from authsvc.listing import LocalUsersPage, UserLocalsPage
from authsvc.store import KeyChange, Store, StoredKey
from svckit.errors import NotFound, Unavailable

__all__ = ["FakeStore"]


class FakeStore(Store):
    """Records are put in as they are, each put a revision of its own with the change it makes.

    `reads` counts reads of the signing keys, `access_reads` and `change_reads` the others. While
    `is_down`, everything raises Unavailable. While `gate` is cleared reads of keys wait, while
    `feed_gate` and `access_gate` are those of changes and records, with what they have read in
    hand; `is_reading` says that one of the keys has begun.
    """

    def __init__(self) -> None:
        self.database_id = "d1"
        self.revision = 0
        self.trimmed_to = 0
        self.changes: list[Change] = []
        self.users: dict[str, UserRecord] = {}
        self.organizations: dict[str, OrganizationRecord] = {}
        self.locals: dict[str, LocalRecord] = {}
        self.keys: list[StoredKey] = []
        self.key_changes: list[Actor] = []
        self.reads = 0
        self.access_reads = 0
        self.change_reads = 0
        self.trims = 0
        self.is_down = False
        self.is_signalling = True
        self.gate = _open_gate()
        self.feed_gate = _open_gate()
        self.access_gate = _open_gate()
        self.is_reading = asyncio.Event()
        self.listeners: set[Callable[[], None]] = set()

    def put_user(
        self,
        user_id: str,
        organization_id: str = "o1",
        *,
        locals_: Collection[str] = (),
        permissions: tuple[str, ...] = (),
        is_active: bool = True,
    ) -> None:
        self.users[user_id] = UserRecord(
            organization_id=organization_id,
            is_active=is_active,
            locals=frozenset(locals_),
            permissions=permissions,
        )
        self.commit((organization_id, user_id, None))

    def put_organization(self, organization_id: str = "o1", *, is_active: bool = True) -> None:
        self.organizations[organization_id] = OrganizationRecord(is_active=is_active)
        self.commit((organization_id, None, None))

    def put_local(
        self,
        local_id: str,
        organization_id: str = "o1",
        *,
        name: str = "Centro",
        is_active: bool = True,
    ) -> None:
        self.locals[local_id] = LocalRecord(
            organization_id=organization_id, name=name, is_active=is_active
        )
        self.commit((organization_id, None, local_id))

    def commit(self, *touched: tuple[str, str | None, str | None]) -> None:
        """One revision that touched these."""
        self.revision += 1
        self.changes += [
            Change(revision=self.revision, organization_id=o, user_id=u, local_id=local)
            for o, u, local in touched
        ]
        if self.is_signalling:
            for listener in tuple(self.listeners):
                listener()

    def page_since(self, database_id: str, after: int) -> ChangePage:
        is_gap = database_id != self.database_id or not self.trimmed_to <= after <= self.revision
        first = self.trimmed_to if is_gap else after
        return ChangePage(
            database_id=self.database_id,
            after=first,
            revision=self.revision,
            changes=tuple(change for change in self.changes if change.revision > first),
            is_gap=is_gap,
        )

    async def read_changes(self, *, database_id: str, after: int) -> ChangePage:
        self.change_reads += 1
        self._answer_or_fail()
        page = self.page_since(database_id, after)
        await self.feed_gate.wait()
        self._answer_or_fail()
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
        self.access_reads += 1
        self._answer_or_fail()
        users = {user_id: self.users.get(user_id) for user_id in user_ids}
        owners = {user.organization_id for user in users.values() if user is not None}
        page = AccessPage(
            feed=self.page_since(database_id, after),
            users=users,
            organizations={o: self.organizations.get(o) for o in {*organization_ids, *owners}},
            locals={local_id: self.locals.get(local_id) for local_id in local_ids},
        )
        await self.access_gate.wait()
        self._answer_or_fail()
        return page

    def signals(self, on_change: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        @asynccontextmanager
        async def listening() -> AsyncIterator[None]:
            self.listeners.add(on_change)
            try:
                yield
            finally:
                self.listeners.discard(on_change)

        return listening()

    async def trim_changes(self, *, wall_now: float) -> None:
        self._answer_or_fail()
        self.trims += 1

    async def list_user_locals(self, *, user_id: str, after_id: str, limit: int) -> UserLocalsPage:
        self._answer_or_fail()
        if (user := self.users.get(user_id)) is None:
            raise NotFound("no such user")
        ids = sorted(local_id for local_id in user.locals if local_id > after_id)[:limit]
        rows = tuple((local_id, self.locals[local_id].name) for local_id in ids)
        return UserLocalsPage(rows=rows, revision=self.revision)

    async def list_local_users(self, *, local_id: str, after_id: str, limit: int) -> LocalUsersPage:
        self._answer_or_fail()
        if local_id not in self.locals:
            raise NotFound("no such local")
        holders = sorted(u for u, user in self.users.items() if local_id in user.locals)
        rows = tuple(user_id for user_id in holders if user_id > after_id)[:limit]
        return LocalUsersPage(rows=rows, revision=self.revision)

    async def signing_keys(self) -> tuple[StoredKey, ...]:
        self.reads += 1
        self.is_reading.set()
        await self.gate.wait()
        self._answer_or_fail()
        return tuple(self.keys)

    async def change_signing_keys(self, change: KeyChange, *, by: Actor) -> None:
        self._answer_or_fail()
        self.keys = list(change(tuple(self.keys)))
        self.key_changes.append(by)

    async def withdraw_signing_keys(self, change: KeyChange, *, by: Actor) -> None:
        await self.change_signing_keys(change, by=by)
        self.trimmed_to = self.revision + 1
        self.commit()

    def _answer_or_fail(self) -> None:
        if self.is_down:
            raise Unavailable("the store is down")


def _open_gate() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate
