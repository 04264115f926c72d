"""Asks Auth: from the cache, else in a shared batch, else AuthUnavailable; never a False.

cache under lease -> shared flight -> batch -> breaker -> gRPC, the next target -> REST: each is a
file of this package, and `parts.py` puts them together.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self, cast

import structlog
from structlog.typing import FilteringBoundLogger

from catalogsvc.authz.call import Clock
from catalogsvc.authz.closing import close_all
from catalogsvc.authz.errors import AuthUnavailable, Closed, InvalidToken
from catalogsvc.authz.many import decide_all
from catalogsvc.authz.model import Decision, Identity, LocalQuery
from catalogsvc.authz.parts import make_parts
from catalogsvc.authz.settings import AuthClientSettings
from catalogsvc.authz.snapshot import Snapshot
from catalogsvc.authz.wiring import Wires, make_wires
from svckit.deadline import Deadline
from svckit.ids import check_id
from svckit.lease_clock import lease_clock as system_lease_clock
from svckit.rpc import Interceptor

__all__ = ["AuthClient"]

TOKEN_BYTES_MAX = 8 * 1024
CLOSE_TIMEOUT_S = 2.0


class AuthClient:
    """Made and used as `async with` on one event loop; one per process is enough.

    Each call ends by its `deadline` (on the loop's clock), or after `settings.timeout_s` without
    one. Each raises AuthUnavailable when nobody answered in time, its subclass AuthProtocolError
    when Auth refuses our credential or cannot be understood, and Closed outside of `async with`.

    What Auth says is up to `settings.max_staleness_s` old; usually a change is seen within 50 ms.
    The clocks and the wires are given by tests; a process has real ones.
    """

    def __init__(
        self,
        settings: AuthClientSettings,
        *,
        interceptors: Sequence[Interceptor] = (),
        log: FilteringBoundLogger | None = None,
        clock: Clock | None = None,
        lease_clock: Clock | None = None,
        wall_clock: Clock = time.time,
        wires: Wires | None = None,
    ) -> None:
        log = log or structlog.get_logger("catalogsvc.authz")
        self._timeout_s = settings.timeout_s
        self._clock = clock = clock or asyncio.get_running_loop().time
        self._lease_clock = lease_clock = lease_clock or system_lease_clock
        self._wires = wires or make_wires(
            settings, interceptors=tuple(interceptors), clock=clock, log=log
        )
        self._parts = make_parts(
            settings,
            self._wires,
            clock=clock,
            lease_clock=lease_clock,
            wall_clock=wall_clock,
            log=log,
        )
        self._cache = self._parts.cache
        self._checks = self._parts.checks
        self._verdicts = self._parts.verdicts
        self._watching: asyncio.Task[None] | None = None
        self._is_open = False
        self._is_closed = False
        self._unavailable = 0

    async def __aenter__(self) -> Self:
        if self._is_closed:
            raise Closed
        self._is_open = True
        watcher = self._parts.watcher
        if watcher is not None and self._watching is None:
            self._watching = asyncio.create_task(watcher.run(), name="auth-change-watcher")
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def validate_local(
        self,
        *,
        user_id: str,
        organization_id: str,
        local_id: str,
        deadline: Deadline | None = None,
    ) -> Decision:
        """May this user of this organization enter this local?

        Raises InvalidRequest on a bad id.
        """
        if not self._is_open:
            raise Closed
        # Only checked ids are ever kept, so a hit needs no second check.
        row = (user_id, organization_id, local_id)
        hit = self._cache.find(row)
        if hit is not None:
            return hit
        try:
            started_at = self._clock()
            told = await self._checks.ask(row, deadline)
            if self._checks.is_good(told):
                return cast(Decision, told[0])
            deadline = deadline or Deadline(started_at + self._timeout_s)
            return await self._checks.ask_again(row, told, deadline)
        except AuthUnavailable:
            self._unavailable += 1
            raise

    async def validate_locals(
        self, queries: Sequence[LocalQuery], *, deadline: Deadline | None = None
    ) -> list[Decision]:
        """One decision per query, in the same order; equal queries are asked once.

        Raises PartlyUnavailable, with the decisions that there are, when some of them got none.
        """
        if not self._is_open:
            raise Closed
        try:
            return await decide_all(
                [(query.user_id, query.organization_id, query.local_id) for query in queries],
                self._cache,
                self._checks,
                deadline=self._bounded(deadline),
                clock=self._clock,
                lease_clock=self._lease_clock,
            )
        except AuthUnavailable:
            self._unavailable += 1
            raise

    async def verify_token(self, token: str, *, deadline: Deadline | None = None) -> Identity:
        """Whom the token speaks for. Raises InvalidToken with Auth's reason."""
        if not self._is_open:
            raise Closed
        if not token or len(token) > TOKEN_BYTES_MAX:
            raise InvalidToken("the token is empty or too long")
        if not token.isascii() or not token.isprintable():
            raise InvalidToken("the token is not printable ASCII")
        try:
            return await self._verdicts.verify_token(token, deadline=self._bounded(deadline))
        except AuthUnavailable:
            self._unavailable += 1
            raise

    async def get_user_permissions(
        self, *, user_id: str, deadline: Deadline | None = None
    ) -> frozenset[str]:
        """Empty for an inactive user. Raises UnknownUser, and InvalidRequest on a bad id."""
        if not self._is_open:
            raise Closed
        check_id("user_id", user_id)
        try:
            return await self._verdicts.get_user_permissions(
                user_id, deadline=self._bounded(deadline)
            )
        except AuthUnavailable:
            self._unavailable += 1
            raise

    def snapshot(self) -> Snapshot:
        return self._parts.snapshot(unavailable=self._unavailable, now=self._lease_clock())

    async def close(self) -> None:
        """Ends what is under way with Closed, then the connections. Closed means closed."""
        self._is_open = False
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._watching is not None:
                self._watching.cancel()
                await asyncio.wait((self._watching,), timeout=CLOSE_TIMEOUT_S)
            await self._checks.close(timeout_s=CLOSE_TIMEOUT_S)
            await self._verdicts.close(timeout_s=CLOSE_TIMEOUT_S)
        finally:
            await self._close_connections()

    async def _close_connections(self) -> None:
        closes = [self._wires.close()]
        if self._parts.second_level is not None:
            closes.append(self._parts.second_level.close())
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await close_all(*closes)

    def _bounded(self, deadline: Deadline | None) -> Deadline:
        return deadline or Deadline.after(self._timeout_s, now=self._clock())
