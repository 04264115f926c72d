"""Whom a token speaks for and what a user may do: asked in shared flights, kept under the lease.

A verdict is kept by the SHA-256 of its token, never past the token's expiry, and dropped by a
change of its user or organization. What Auth refuses (a bad token, an unknown user) is not kept:
it may be good a moment later, and the one who waits would be the first to complain.
"""

import hashlib
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, replace
from typing import TypeVar

from catalogsvc.authz.call import Clock
from catalogsvc.authz.entries import Entries
from catalogsvc.authz.errors import AuthUnavailable
from catalogsvc.authz.flights import Flights
from catalogsvc.authz.freshness import ASKS_MAX, TOO_OLD, Freshness, Sent
from catalogsvc.authz.model import Identity, Source
from catalogsvc.authz.path import Question
from catalogsvc.authz.router import Router
from catalogsvc.authz.settings import AuthClientSettings
from catalogsvc.authz.transport import Permitted, Transport, Verified
from svckit.deadline import Deadline

__all__ = ["Verdicts", "Kept"]

A = TypeVar("A")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
S = TypeVar("S", Verified, Permitted)


@dataclass(frozen=True, slots=True)
class Kept:
    """The permissions of a user; whose they are is what the cache must know to drop them."""

    organization_id: str
    permissions: frozenset[str]


class Verdicts:
    """`wall_clock` gives seconds since 1970: a token's expiry is a moment of the calendar."""

    def __init__(
        self,
        router: Router,
        freshness: Freshness,
        settings: AuthClientSettings,
        *,
        clock: Clock,
        lease_clock: Clock,
        wall_clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self._router = router
        self._freshness = freshness
        self._lease_clock = lease_clock
        self._wall_clock = wall_clock
        self._ttl_s = settings.ttl_allowed_s
        self._jitter = jitter
        self.identities: Entries[bytes, Identity] = Entries(
            freshness,
            place_of=lambda _, identity: (identity.organization_id, identity.user_id, None),
            entries_max=settings.cache_entries_max,
        )
        self.permissions: Entries[str, Kept] = Entries(
            freshness,
            place_of=lambda user_id, kept: (kept.organization_id, user_id, None),
            entries_max=settings.cache_entries_max,
        )

        def make_flights(
            ask: Callable[[str, float, Deadline], Coroutine[None, None, A]],
        ) -> Flights[str, A]:
            return Flights(
                ask,
                clock=clock,
                max_staleness_s=settings.max_staleness_s,
                timeout_s=settings.timeout_s,
                flights_max=settings.flights_max,
            )

        self._verifying: Flights[str, tuple[Identity, float]] = make_flights(self._ask_identity)
        self._listing: Flights[str, tuple[frozenset[str], float]] = make_flights(
            self._ask_permissions
        )

    def __len__(self) -> int:
        """How many questions are under way."""
        return len(self._verifying) + len(self._listing)

    async def verify_token(self, token: str, *, deadline: Deadline) -> Identity:
        """`token` is printable ASCII. Raises as `AuthClient.verify_token`."""
        kept = self._find(self.identities, _digest(token))
        if kept is not None:
            return kept
        return await self._told_in_time(self._verifying, token, deadline)

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> frozenset[str]:
        kept = self._find(self.permissions, user_id)
        if kept is not None:
            return kept.permissions
        return await self._told_in_time(self._listing, user_id, deadline)

    async def _told_in_time(
        self, flights: Flights[str, tuple[A, float]], key: str, deadline: Deadline
    ) -> A:
        """What is still good when we are woken: the loop may have been held up since it came."""
        for _ in range(ASKS_MAX):
            said, good_until = await flights.answer(key, deadline=deadline)
            if self._lease_clock() < good_until:
                return said
        raise AuthUnavailable(TOO_OLD)

    async def close(self, *, timeout_s: float) -> None:
        await self._verifying.close(timeout_s=timeout_s)
        await self._listing.close(timeout_s=timeout_s)

    async def _ask_identity(
        self, token: str, _asked_at: float, deadline: Deadline
    ) -> tuple[Identity, float]:
        sent, said, good_until = await self._ask(
            lambda transport, attempt: transport.verify_token(token, deadline=attempt),
            lambda said: said.identity.organization_id,
            deadline,
        )
        identity = said.identity
        if said.expires_at is not None and self._may_keep(identity.organization_id, said, sent):
            good_s = said.expires_at - self._wall_clock()
            self.identities.put(
                _digest(token),
                replace(identity, source=Source.CACHE),
                revision=said.as_of.revision,
                until=min(self._until(sent), self._lease_clock() + good_s),
            )
        return identity, good_until

    async def _ask_permissions(
        self, user_id: str, _asked_at: float, deadline: Deadline
    ) -> tuple[frozenset[str], float]:
        sent, said, good_until = await self._ask(
            lambda transport, attempt: transport.get_user_permissions(user_id, deadline=attempt),
            lambda said: said.organization_id,
            deadline,
        )
        if said.organization_id and self._may_keep(said.organization_id, said, sent):
            kept = Kept(said.organization_id, said.permissions)
            self.permissions.put(
                user_id, kept, revision=said.as_of.revision, until=self._until(sent)
            )
        return said.permissions, good_until

    async def _ask(
        self, question: Question[S], organization_of: Callable[[S], str], deadline: Deadline
    ) -> tuple[Sent, S, float]:
        """An answer that is not too old to be told, and until when it is not."""

        async def stamped(transport: Transport, attempt: Deadline) -> tuple[Sent, S]:
            sent = self._freshness.send(self._lease_clock())
            return sent, await question(transport, attempt)

        for _ in range(ASKS_MAX):
            sent, said = await self._router.ask(stamped, deadline=deadline)
            good_until = self._freshness.good_until(organization_of(said), said.as_of, sent)
            if self._lease_clock() < good_until:
                return sent, said, good_until
        raise AuthUnavailable(TOO_OLD)

    def _find(self, entries: Entries[K, V], key: K) -> V | None:
        return entries.find(key, now=self._lease_clock())

    def _may_keep(self, organization_id: str, said: Verified | Permitted, sent: Sent) -> bool:
        return self._freshness.may_keep(organization_id, said.as_of, sent)

    def _until(self, sent: Sent) -> float:
        return sent.at + self._ttl_s * self._jitter()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
