"""Asks Auth: from the cache, else in a shared flight, else AuthUnavailable; never a False.

cache -> flight -> breaker -> gRPC, the next target -> REST: each is a file of this package.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import Self

import structlog
from structlog.typing import FilteringBoundLogger

from catalogsvc.authz.cache import CacheKey, DecisionCache
from catalogsvc.authz.call import Clock
from catalogsvc.authz.errors import AuthUnavailable, Closed, InvalidToken
from catalogsvc.authz.flights import Flights
from catalogsvc.authz.model import Decision, Identity, LocalQuery, Source
from catalogsvc.authz.settings import AuthClientSettings
from catalogsvc.authz.snapshot import Snapshot
from catalogsvc.authz.wiring import make_router
from svckit.deadline import Deadline
from svckit.ids import check_id
from svckit.rpc import Interceptor

__all__ = ["AuthClient"]

TOKEN_BYTES_MAX = 8 * 1024
QUESTIONS_AT_ONCE_MAX = 64
CLOSE_TIMEOUT_S = 2.0


class AuthClient:
    """Made and used as `async with` on one event loop; one per process is enough.

    Each call ends by its `deadline` (on the loop's clock), or after `settings.timeout_s` without
    one. Each raises AuthUnavailable when nobody answered in time, its subclass AuthProtocolError
    when Auth refuses our credential or cannot be understood, and Closed outside of `async with`.
    """

    def __init__(
        self,
        settings: AuthClientSettings,
        *,
        interceptors: Sequence[Interceptor] = (),
        log: FilteringBoundLogger | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._timeout_s = settings.timeout_s
        self._clock = clock = clock or asyncio.get_running_loop().time
        self._router = make_router(
            settings,
            interceptors=tuple(interceptors),
            clock=clock,
            log=log or structlog.get_logger("catalogsvc.authz"),
        )
        self._cache = DecisionCache(
            clock=clock,
            max_staleness_s=settings.max_staleness_s,
            ttl_allowed_s=settings.ttl_allowed_s,
            ttl_denied_s=settings.ttl_denied_s,
            entries_max=settings.cache_entries_max,
        )
        make_flights = partial(
            Flights,
            clock=clock,
            max_staleness_s=settings.max_staleness_s,
            timeout_s=settings.timeout_s,
            flights_max=settings.flights_max,
        )
        self._decisions: Flights[LocalQuery, Decision] = make_flights(self._ask_decision)
        self._identities: Flights[str, Identity] = make_flights(self._ask_identity)
        self._permissions: Flights[str, frozenset[str]] = make_flights(self._ask_permissions)
        self._is_open = False
        self._is_closed = False
        self._unavailable = 0

    async def __aenter__(self) -> Self:
        if self._is_closed:
            raise Closed
        self._is_open = True
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
        """May this user of this organization enter this local? Raises InvalidRequest on a bad id.

        The decision may be up to `settings.max_staleness_s` old.
        """
        if not self._is_open:
            raise Closed
        # Only checked ids are ever kept, so a hit needs no second check.
        hit = self._cache.find((user_id, organization_id, local_id))
        if hit is not None:
            return hit
        query = LocalQuery(user_id=user_id, organization_id=organization_id, local_id=local_id)
        with self._counted():
            return await self._decisions.answer(query, deadline=self._bounded(deadline))

    async def validate_locals(
        self, queries: Sequence[LocalQuery], *, deadline: Deadline | None = None
    ) -> list[Decision]:
        """One decision per query, in the same order; equal queries are asked once.

        All or nothing: raises AuthUnavailable when any of them got no answer.
        """
        if not self._is_open:
            raise Closed
        decisions: dict[LocalQuery, Decision] = {}
        misses: list[LocalQuery] = []
        for query in dict.fromkeys(queries):
            hit = self._cache.find(_cache_key(query))
            if hit is None:
                misses.append(query)
            else:
                decisions[query] = hit
        with self._counted():
            decisions |= await self._decide_all(misses, self._bounded(deadline))
        return [decisions[query] for query in queries]

    async def verify_token(self, token: str, *, deadline: Deadline | None = None) -> Identity:
        """Whom the token speaks for. Raises InvalidToken with Auth's reason.

        Not cached, but a call may share the answer to one that was asked `max_staleness_s` before.
        """
        if not self._is_open:
            raise Closed
        if not token or len(token) > TOKEN_BYTES_MAX:
            raise InvalidToken("the token is empty or too long")
        if not token.isascii() or not token.isprintable():
            raise InvalidToken("the token is not printable ASCII")
        with self._counted():
            return await self._identities.answer(token, deadline=self._bounded(deadline))

    async def get_user_permissions(
        self, *, user_id: str, deadline: Deadline | None = None
    ) -> frozenset[str]:
        """Empty for an inactive user. As old as in `verify_token`.

        Raises UnknownUser, and InvalidRequest on a bad id.
        """
        if not self._is_open:
            raise Closed
        check_id("user_id", user_id)
        with self._counted():
            return await self._permissions.answer(user_id, deadline=self._bounded(deadline))

    def snapshot(self) -> Snapshot:
        cache = self._cache
        return Snapshot(
            cache_hits=cache.hits,
            cache_misses=cache.misses,
            cache_size=len(cache),
            answers={
                Source.CACHE: cache.hits,
                Source.GRPC: self._router.answers[Source.GRPC],
                Source.REST: self._router.answers[Source.REST],
            },
            breakers={
                target.transport.name: target.breaker.state for target in self._router.targets
            },
            in_flight=len(self._decisions) + len(self._identities) + len(self._permissions),
            unavailable=self._unavailable,
        )

    async def close(self) -> None:
        """Ends what is under way with Closed, then the connections. Closed means closed."""
        self._is_open = False
        if self._is_closed:
            return
        self._is_closed = True
        try:
            for flights in (self._decisions, self._identities, self._permissions):
                await flights.close(timeout_s=CLOSE_TIMEOUT_S)
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self._router.close()

    async def _decide_all(
        self, queries: Sequence[LocalQuery], deadline: Deadline
    ) -> dict[LocalQuery, Decision]:
        decisions: dict[LocalQuery, Decision] = {}
        waiting = iter(queries)

        async def decide_in_turn() -> None:
            for query in waiting:
                decisions[query] = await self._decisions.answer(query, deadline=deadline)

        lanes = min(len(queries), QUESTIONS_AT_ONCE_MAX)
        tasks = [asyncio.create_task(decide_in_turn(), name="auth-questions") for _ in range(lanes)]
        # Not a TaskGroup: while it ends its tasks it would take our caller's cancellation for its
        # own, and callers ask one thing, so they get one error and no group of them.
        try:
            if tasks:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            await _end(tasks)
        # All are asked for theirs: asyncio complains of an error that nobody took.
        errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
        if errors:
            raise errors[0]
        return decisions

    async def _ask_decision(
        self, query: LocalQuery, asked_at: float, deadline: Deadline
    ) -> Decision:
        decision = await self._router.ask(
            lambda transport, attempt: transport.validate_local(query, deadline=attempt),
            deadline=deadline,
        )
        # Stamped with the time of asking: a revocation may have overtaken the answer on its way.
        self._cache.keep(_cache_key(query), decision, asked_at=asked_at)
        return decision

    async def _ask_identity(self, token: str, _asked_at: float, deadline: Deadline) -> Identity:
        return await self._router.ask(
            lambda transport, attempt: transport.verify_token(token, deadline=attempt),
            deadline=deadline,
        )

    async def _ask_permissions(
        self, user_id: str, _asked_at: float, deadline: Deadline
    ) -> frozenset[str]:
        return await self._router.ask(
            lambda transport, attempt: transport.get_user_permissions(user_id, deadline=attempt),
            deadline=deadline,
        )

    def _bounded(self, deadline: Deadline | None) -> Deadline:
        return deadline or Deadline.after(self._timeout_s, now=self._clock())

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except AuthUnavailable:
            self._unavailable += 1
            raise


def _cache_key(query: LocalQuery) -> CacheKey:
    return (query.user_id, query.organization_id, query.local_id)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
