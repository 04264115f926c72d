"""Auth's store in memory, for tests of what stands on it; it can be slow and it can fail."""

import asyncio

from authsvc.decision import AccessFacts, PermissionFacts
from authsvc.model import LocalQuery
from authsvc.store import Store, StoredKey
from svckit.errors import Unavailable

__all__ = ["FakeStore"]


class FakeStore(Store):
    """Facts are put in as they are; `reads` counts reads of the signing keys.

    While `is_down`, everything raises Unavailable. While `gate` is cleared, reads of keys wait;
    `is_reading` says that one has begun.
    """

    def __init__(self) -> None:
        self.access: dict[LocalQuery, AccessFacts] = {}
        self.permissions: dict[str, PermissionFacts] = {}
        self.keys: list[StoredKey] = []
        self.reads = 0
        self.is_down = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_reading = asyncio.Event()

    async def access_facts(self, query: LocalQuery) -> AccessFacts:
        self._answer_or_fail()
        return self.access[query]

    async def permission_facts(self, user_id: str) -> PermissionFacts | None:
        self._answer_or_fail()
        return self.permissions.get(user_id)

    async def signing_keys(self) -> tuple[StoredKey, ...]:
        self.reads += 1
        self.is_reading.set()
        await self.gate.wait()
        self._answer_or_fail()
        return tuple(self.keys)

    async def add_first_signing_key(self, key: StoredKey) -> None:
        self._answer_or_fail()
        if not self.keys:
            self.keys = [key]

    def _answer_or_fail(self) -> None:
        if self.is_down:
            raise Unavailable("the store is down")
