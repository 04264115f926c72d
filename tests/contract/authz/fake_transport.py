"""A Transport and a Feed in memory; the Transport passes the contract suite of the real ones."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from grpclib.exceptions import GRPCError

from catalogsvc.authz.answers import read_decision, read_identity
from catalogsvc.authz.errors import UnknownUser
from catalogsvc.authz.feed import Page, Position
from catalogsvc.authz.model import Row, Source
from catalogsvc.authz.outcomes import error_of, grpc_outcome
from catalogsvc.authz.transport import AsOf, Checked, Failure, PathFailed, Permitted, Verified
from svckit.deadline import Deadline
from svckit.errors import ServiceError
from svckit.status import wire_status
from tests.contract.authz.fake_book import FakeAuth

__all__ = ["FakeTransport", "FakeFeed"]

A = TypeVar("A")


@dataclass(slots=True, kw_only=True)
class FakeTransport:
    auth: FakeAuth = field(default_factory=FakeAuth)
    name: str = "fake://auth"
    is_closed: bool = False

    async def check_locals(self, rows: Sequence[Row], *, deadline: Deadline) -> Checked:
        saids = await self._ask(self.auth.decide_all(rows), deadline)
        decisions = [
            read_decision(
                is_valid=said.is_valid,
                local_name=said.local_name,
                said=said.reason,
                source=Source.GRPC,
                path=self.name,
            )
            for said in saids
        ]
        return Checked(
            reasons=[decision.reason for decision in decisions],
            local_names=[decision.local_name for decision in decisions],
            as_of=self._as_of(),
        )

    async def verify_token(self, token: str, *, deadline: Deadline) -> Verified:
        found = await self._ask(self.auth.identify(token), deadline)
        user_id, organization_id, permissions = found or ("", "", ())
        identity = read_identity(
            token=token,
            is_valid=found is not None,
            user_id=user_id,
            organization_id=organization_id,
            permissions=permissions,
            said="" if found else self.auth.bad_token_reason,
            source=Source.GRPC,
            path=self.name,
        )
        return Verified(identity=identity, expires_at=self.auth.expires_at, as_of=self._as_of())

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> Permitted:
        unknown = UnknownUser("Auth knows no such user")
        found = await self._ask(self.auth.list_permissions(user_id), deadline, unknown)
        return Permitted(permissions=frozenset(found), organization_id="o1", as_of=self._as_of())

    async def close(self) -> None:
        self.is_closed = True

    def _as_of(self) -> AsOf:
        auth = self.auth
        return AsOf(database_id=auth.database_id, revision=auth.revision, age_s=auth.age_ms / 1000)

    async def _ask(
        self, answer: Awaitable[A], deadline: Deadline, not_found: ServiceError | None = None
    ) -> A:
        try:
            async with asyncio.timeout_at(deadline.at):
                return await answer
        except TimeoutError as exc:
            raise PathFailed(self.name, Failure.TIMED_OUT) from exc
        except ServiceError as exc:
            raise error_of(
                grpc_outcome(GRPCError(wire_status(exc).grpc)),
                path=self.name,
                not_found=not_found,
                retry_after_s=exc.retry_after_s or 1.0,
            ) from exc


@dataclass(slots=True, kw_only=True)
class FakeFeed:
    """Tells the changes of a FakeAuth. `is_cut` ends each connection; `is_feed_silent` hangs it."""

    auth: FakeAuth = field(default_factory=FakeAuth)
    name: str = "fake://auth"
    is_closed: bool = False
    is_cut: bool = False
    connections: int = 0

    @asynccontextmanager
    async def connect(
        self, position: Position, *, tick: int
    ) -> AsyncIterator["FakeFeedConnection"]:
        self.connections += 1
        if self.is_cut:
            raise PathFailed(self.name, Failure.BROKEN_OFF)
        connection = FakeFeedConnection(self, position)
        await connection.send_tick(tick)
        yield connection

    async def close(self) -> None:
        self.is_closed = True


class FakeFeedConnection:
    def __init__(self, feed: FakeFeed, position: Position) -> None:
        auth = feed.auth
        self._feed = feed
        self._ticks: list[int] = []
        self._ticked = asyncio.Event()
        self._is_reset = position.database_id != auth.database_id
        self._after = auth.revision if self._is_reset else position.revision

    async def send_tick(self, tick: int) -> None:
        self._check()
        self._ticks.append(tick)
        self._ticked.set()

    async def receive(self) -> Page:
        auth = self._feed.auth
        while auth.is_feed_silent or (not self._ticks and self._after >= auth.revision):
            self._check()
            await self._wait_for_news()
        self._check()
        tick = self._ticks[-1] if self._ticks else 0
        self._ticks.clear()
        self._ticked.clear()
        page = Page(
            tick=tick,
            database_id=auth.database_id,
            after=self._after,
            revision=auth.revision,
            changes=tuple(c for c in auth.changes if c.revision > self._after),
            is_reset=self._is_reset,
        )
        self._after, self._is_reset = auth.revision, False
        return page

    async def _wait_for_news(self) -> None:
        news = (self._feed.auth.changed.wait(), self._ticked.wait())
        waits = [asyncio.ensure_future(wait) for wait in news]
        try:
            await asyncio.wait(waits, timeout=0.01, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _check(self) -> None:
        if self._feed.is_cut:
            raise PathFailed(self._feed.name, Failure.BROKEN_OFF)
