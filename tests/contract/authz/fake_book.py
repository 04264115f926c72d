"""Auth as the client's tests need it: a small book of answers, and the changes of a feed."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalogsvc.authz.feed import Change
from catalogsvc.authz.model import LocalQuery, Row
from svckit.errors import NotFound, ServiceError

__all__ = ["FakeAuth", "Said"]

Found = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Said:
    """What the wire will carry, however wrong."""

    is_valid: bool
    local_name: str = ""
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class FakeAuth:
    """`trouble` is raised instead of an answer; while `is_silent` nobody is answered at all.

    `asked` counts rows and other questions, `batches` the messages that brought rows. The answers
    of access.v1 and of the REST batch are as of `revision` and `age_ms` old; `change` makes a
    revision that watchers hear of. While `is_feed_silent` they hear of nothing.
    """

    decisions: dict[LocalQuery, Said] = field(default_factory=dict)
    tokens: dict[str, Found] = field(default_factory=dict)
    expires_at: int = 4_102_444_800
    organization_id: str = "o1"
    permissions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bad_token_reason: str = "bad signature"
    trouble: ServiceError | None = None
    is_silent: bool = False
    is_feed_silent: bool = False
    asked: int = 0
    batches: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    metadata: Mapping[str, str] = field(default_factory=dict)
    database_id: str = "db-1"
    revision: int = 1
    age_ms: int = 0
    changes: list[Change] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def decide(self, query: LocalQuery) -> Said:
        await self._be_asked()
        return self._decision(query)

    async def decide_all(self, rows: Sequence[Row]) -> list[Said]:
        self.batches += 1
        await self._be_asked(times=len(rows))
        return [
            self._decision(LocalQuery(user_id=user, organization_id=organization, local_id=local))
            for user, organization, local in rows
        ]

    async def identify(self, token: str) -> Found | None:
        await self._be_asked()
        return self.tokens.get(token)

    async def list_permissions(self, user_id: str) -> tuple[str, ...]:
        await self._be_asked()
        if user_id not in self.permissions:
            raise NotFound("no such user")
        return self.permissions[user_id]

    def change(
        self, organization_id: str, user_id: str | None = None, local_id: str | None = None
    ) -> None:
        """The next revision touched this."""
        self.revision += 1
        self.changes.append(Change(self.revision, organization_id, user_id, local_id))
        self.changed.set()
        # Whoever waits now has been woken; the next change is another event.
        self.changed = asyncio.Event()

    def _decision(self, query: LocalQuery) -> Said:
        return self.decisions.get(query, Said(False, "", "NOT_ASSIGNED"))

    async def _be_asked(self, *, times: int = 1) -> None:
        self.asked += times
        self.was_asked.set()
        if self.is_silent:
            await asyncio.Event().wait()
        if self.trouble is not None:
            raise self.trouble
