"""The store: each method one statement or one transaction on Auth's database."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.access import AccessPage
from authsvc.audit import Actor
from authsvc.changes import ChangePage
from authsvc.entity_rules import check_entity
from authsvc.listing import LocalUsersPage, UserLocalsPage
from authsvc.model import Entity
from authsvc.store import change_log, export, keys, listing, records, writes
from authsvc.store.admission import Rejection
from authsvc.store.commit import WRITE_LOCK, commit, commit_one
from authsvc.store.entities import is_empty
from authsvc.store.keys import KeyChange
from authsvc.stored_key import StoredKey
from svckit.database import outages, reading, snapshot, writing
from svckit.database_signals import commit_signals
from svckit.ids import check_id

__all__ = ["Store"]

PING_TIMEOUT_S = 2.0


class Store:
    """Auth's data; the engine stays its maker's to dispose of.

    Every method raises Unavailable when the database does not answer, and InvalidRequest for an
    id that cannot be one.
    """

    def __init__(self, engine: AsyncEngine, *, wall_clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._wall_clock = wall_clock

    async def read_access(
        self,
        *,
        user_ids: Collection[str],
        organization_ids: Collection[str],
        local_ids: Collection[str],
        database_id: str,
        after: int,
    ) -> AccessPage:
        """All that decisions about these need, and the changes since, in one query.

        The ids have passed `check_id`; up to 512 of each kind is a good measure.
        """
        async with reading(self._engine) as connection:
            return await records.read_access(
                connection,
                user_ids=user_ids,
                organization_ids=organization_ids,
                local_ids=local_ids,
                database_id=database_id,
                after=after,
            )

    async def read_changes(self, *, database_id: str, after: int) -> ChangePage:
        """What was committed since revision `after` of this database, in one query.

        It is a gap from scratch, for which `database_id` is empty.
        """
        async with reading(self._engine) as connection:
            return await change_log.read(connection, database_id=database_id, after=after)

    def signals(self, on_change: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        """Calls `on_change` soon after a commit of any process. A hint: some go unheard.

        It is called for nothing as well, and must not raise. Raises nothing itself.
        """
        return commit_signals(self._engine, channel=change_log.CHANNEL, on_change=on_change)

    async def trim_changes(self, *, wall_now: float) -> None:
        """Forgets the changes that are beyond the bounds of the log, a part at a time."""
        is_due = True
        while is_due:
            async with reading(self._engine) as connection:
                is_due = await change_log.trim_point(connection, wall_now=wall_now) is not None
            if is_due:
                async with writing(self._engine, lock=WRITE_LOCK) as connection:
                    await change_log.trim_part(connection, wall_now=wall_now)

    async def list_user_locals(self, *, user_id: str, after_id: str, limit: int) -> UserLocalsPage:
        """Locals this user may enter, beyond `after_id` ("": the first). Raises NotFound."""
        check_id("user_id", user_id)
        async with reading(self._engine) as connection:
            return await listing.user_locals_page(connection, user_id, after_id, limit)

    async def list_local_users(self, *, local_id: str, after_id: str, limit: int) -> LocalUsersPage:
        """Users who may enter this local, beyond `after_id` ("": the first). Raises NotFound."""
        check_id("local_id", local_id)
        async with reading(self._engine) as connection:
            return await listing.local_users_page(connection, local_id, after_id, limit)

    async def put_each(
        self, entities: Sequence[Entity], *, by: Actor, without_status: Collection[int] = ()
    ) -> tuple[Rejection, ...]:
        """Makes or changes those that fit what is there, and says what is wrong with the others.

        They may stand in any order; a user holds exactly what its entity names. One transaction:
        1,000 at a time is a good measure. `without_status` are the places of those that make active
        only what is new. Raises, with nothing written, InvalidRequest when one of
        them breaks a rule of `check_entity`, Conflict when no platform admin would remain.
        """
        # Whoever brings them, and however well they were checked before.
        for entity in entities:
            check_entity(entity)
        async with writing(self._engine, lock=WRITE_LOCK) as connection:
            entities = await writes.keep_inactive(connection, entities, without_status)
            committed = await commit(connection, entities, by=by, wall_now=self._wall_clock())
        return committed.rejections

    async def grant(self, user_id: str, local_id: str, *, by: Actor) -> bool:
        """True when it changed something. Raises NotFound; Conflict for another's local."""
        return await self._assign(user_id, local_id, frozenset.union, by=by)

    async def revoke(self, user_id: str, local_id: str, *, by: Actor) -> bool:
        """True when it changed something. Raises NotFound; Conflict for another's local."""
        return await self._assign(user_id, local_id, frozenset.difference, by=by)

    async def _assign(
        self,
        user_id: str,
        local_id: str,
        changed: Callable[[frozenset[str], frozenset[str]], frozenset[str]],
        *,
        by: Actor,
    ) -> bool:
        check_id("user_id", user_id)
        check_id("local_id", local_id)
        async with writing(self._engine, lock=WRITE_LOCK) as connection:
            user = await writes.assignable(connection, user_id, local_id)
            wanted = replace(user, locals=changed(user.locals, frozenset({local_id})))
            return await commit_one(connection, wanted, by=by, wall_now=self._wall_clock())

    async def signing_keys(self) -> tuple[StoredKey, ...]:
        """Newest first."""
        async with reading(self._engine) as connection:
            return await keys.all_keys(connection)

    async def change_signing_keys(self, change: KeyChange, *, by: Actor) -> None:
        """From what they are to what `change` makes of them, with nobody in between."""
        async with writing(self._engine, lock=WRITE_LOCK) as connection:
            await keys.change_keys(connection, change, by=by, wall_now=self._wall_clock())

    async def withdraw_signing_keys(self, change: KeyChange, *, by: Actor) -> None:
        """`change_signing_keys`, after which everyone forgets all that they knew before."""
        async with writing(self._engine, lock=WRITE_LOCK) as connection:
            revision = await change_log.forget_all(connection)
            await keys.change_keys(
                connection, change, by=by, wall_now=self._wall_clock(), revision=revision
            )

    async def is_empty(self) -> bool:
        async with reading(self._engine) as connection:
            return await is_empty(connection)

    async def ping(self) -> None:
        """Returns when a decision could be made now; raises Unavailable within two seconds."""
        with outages():
            async with asyncio.timeout(PING_TIMEOUT_S), reading(self._engine) as connection:
                await records.touch(connection)

    async def export(self) -> AsyncGenerator[Entity]:
        """All entities as of one moment, in an order that can be imported.

        It holds a connection until it is exhausted or closed: use `contextlib.aclosing`.
        """
        async with (
            snapshot(self._engine) as connection,
            aclosing(export.all_entities(connection)) as entities,
        ):
            async for entity in entities:
                yield entity
