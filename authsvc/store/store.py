"""The store: each method one statement or one transaction on Auth's database."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.decision import AccessFacts, PermissionFacts
from authsvc.entity_rules import check_entity
from authsvc.model import Entity, LocalQuery
from authsvc.store import export, keys, reads, writes
from authsvc.store.admission import Rejection, admit, mentions
from authsvc.store.keys import StoredKey
from svckit.database import outages, reading, snapshot, writing
from svckit.ids import check_id

__all__ = ["Store"]

# All writers of Auth queue here, so what one has read stays true until it has written.
WRITE_LOCK = "auth_write"
PING_TIMEOUT_S = 2.0


class Store:
    """Auth's data; the engine stays its maker's to dispose of.

    Every method raises Unavailable when the database does not answer, and InvalidRequest for an
    id that cannot be one.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def access_facts(self, query: LocalQuery) -> AccessFacts:
        """All that a decision needs, in one query."""
        async with reading(self._engine) as connection:
            return await reads.access_facts(connection, query)

    async def permission_facts(self, user_id: str) -> PermissionFacts | None:
        """In one query; None when there is no such user."""
        check_id("user_id", user_id)
        async with reading(self._engine) as connection:
            return await reads.permission_facts(connection, user_id)

    async def put_each(self, entities: Sequence[Entity]) -> tuple[Rejection, ...]:
        """Makes or changes those that fit what is there, and says what is wrong with the others.

        They may stand in any order; a user holds exactly what its entity names. One transaction:
        1,000 at a time is a good measure. Raises InvalidRequest, with nothing written, when one of
        them breaks a rule of `check_entity`.
        """
        # Whoever brings them, and however well they were checked before.
        for entity in entities:
            check_entity(entity)
        async with writing(self._engine, lock=WRITE_LOCK) as connection:
            known = await writes.look_up(connection, mentions(entities))
            admission = admit(entities, known)
            await writes.write(connection, admission)
        return admission.rejections

    async def grant(self, user_id: str, local_id: str) -> bool:
        """True when it changed something. Raises NotFound; Conflict for another's local."""
        check_id("user_id", user_id)
        check_id("local_id", local_id)
        async with writing(self._engine, lock=WRITE_LOCK) as connection:
            return await writes.grant(connection, user_id, local_id)

    async def revoke(self, user_id: str, local_id: str) -> bool:
        """True when it changed something. Raises NotFound; Conflict for another's local."""
        check_id("user_id", user_id)
        check_id("local_id", local_id)
        async with writing(self._engine, lock=WRITE_LOCK) as connection:
            return await writes.revoke(connection, user_id, local_id)

    async def signing_keys(self) -> tuple[StoredKey, ...]:
        """Newest first."""
        async with reading(self._engine) as connection:
            return await keys.all_keys(connection)

    async def add_first_signing_key(self, key: StoredKey) -> None:
        """Nothing when there is a key: processes that start at once end up with one."""
        async with writing(self._engine, lock=WRITE_LOCK) as connection:
            await keys.add_first_key(connection, key)

    async def is_empty(self) -> bool:
        async with reading(self._engine) as connection:
            return await reads.is_empty(connection)

    async def ping(self) -> None:
        """Returns when a decision could be made now; raises Unavailable within two seconds."""
        with outages():
            async with asyncio.timeout(PING_TIMEOUT_S), reading(self._engine) as connection:
                await reads.touch(connection)

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
