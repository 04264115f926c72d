"""Answers from what is known while the lease on the database lasts, else from the database itself.

Whatever is answered was true at one revision, and the answer says which and how old it is.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from authsvc.access import AccessPage
from authsvc.as_of import AsOf
from authsvc.columns import Columns
from authsvc.decision import AccessFacts
from authsvc.fills import Fills
from authsvc.knowledge import Knowledge
from authsvc.rows import (
    Decided,
    PageSource,
    Source,
    UserAccess,
    Wanted,
    decide_rows,
    find_facts,
    find_user_access,
)
from authsvc.store import Store

__all__ = ["Checks"]

# A change may drop what was just read, or all may be forgotten meanwhile; then one read has it all.
FILLS_MAX = 2

T = TypeVar("T")


class Checks:
    """`clock` is the lease's: seconds that neither stop nor are set.

    Where nobody follows the database there is no lease, so each question is a read. All methods
    raise Unavailable when the database is needed and does not answer.
    """

    def __init__(self, *, store: Store, knowledge: Knowledge, clock: Callable[[], float]) -> None:
        self._store = store
        self._knowledge = knowledge
        self._clock = clock
        self._fills = Fills(self._fill)

    async def close(self) -> None:
        await self._fills.close()

    def is_warm(self, columns: Columns) -> bool:
        """Whether the answer will most likely need no read."""
        return self._knowledge.freshness.is_leased(self._clock()) and (
            self._knowledge.records.has_all(
                columns.user_ids, columns.organization_ids, columns.local_ids
            )
        )

    async def decide(self, columns: Columns) -> tuple[Decided, AsOf]:
        """Does not suspend while all that it needs is known."""
        return await self._find(partial(decide_rows, columns=columns), _all_of(columns))

    async def facts(self, columns: Columns) -> tuple[AccessFacts, AsOf]:
        """What the decision about the only row is made from."""
        return await self._find(partial(find_facts, columns=columns), _all_of(columns))

    async def user_access(self, user_id: str) -> tuple[UserAccess, AsOf]:
        wanted = Wanted(user_ids={user_id})
        return await self._find(partial(find_user_access, user_id=user_id), wanted)

    async def user_access_read(self, user_id: str) -> tuple[UserAccess, AsOf]:
        """From the database itself, whatever is known."""
        wanted = Wanted(user_ids={user_id})
        return await self._read_through(partial(find_user_access, user_id=user_id), wanted)

    async def _find(
        self, find: Callable[[Source], T | Wanted], everything: Wanted
    ) -> tuple[T, AsOf]:
        """`find` looks into one source, and says what is missing there."""
        freshness = self._knowledge.freshness
        for fills in range(FILLS_MAX + 1):
            now = self._clock()
            if not freshness.is_leased(now):
                break
            found = find(self._knowledge.records)
            if not isinstance(found, Wanted):
                return found, AsOf(
                    database_id=freshness.database_id,
                    revision=freshness.revision,
                    age_s=freshness.age_s(now),
                )
            if fills < FILLS_MAX:
                await self._fills.fill(found)
        return await self._read_through(find, everything)

    async def _fill(self, wanted: Wanted) -> None:
        started_at, asked_at = self._clock(), self._knowledge.freshness.position()
        page = await self._read(wanted, asked_at.database_id, asked_at.revision)
        self._knowledge.keep(page, asked_at=asked_at, read_started_at=started_at)

    async def _read_through(
        self, find: Callable[[Source], T | Wanted], everything: Wanted
    ) -> tuple[T, AsOf]:
        started_at, known = self._clock(), self._knowledge.freshness
        page = await self._read(everything, known.database_id, known.revision)
        found = find(PageSource(page))
        assert not isinstance(found, Wanted), "the store left out what it was asked for"
        as_of = AsOf(
            database_id=page.feed.database_id,
            revision=page.feed.revision,
            age_s=self._clock() - started_at,
        )
        return found, as_of

    async def _read(self, wanted: Wanted, database_id: str, after: int) -> AccessPage:
        return await self._store.read_access(
            user_ids=wanted.user_ids,
            organization_ids=wanted.organization_ids,
            local_ids=wanted.local_ids,
            database_id=database_id,
            after=after,
        )


def _all_of(columns: Columns) -> Wanted:
    return Wanted(
        user_ids=set(columns.user_ids),
        organization_ids=set(columns.organization_ids),
        local_ids=set(columns.local_ids),
    )
