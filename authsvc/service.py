"""What Auth does for those who ask: the use cases, between the wires and the store."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from authsvc.decision import Finding, Verdict, decide, effective_permissions, explain
from authsvc.keys import Keys
from authsvc.model import LocalQuery, Status
from authsvc.store import Store
from authsvc.tokens import BadToken, Claims, TokenRules, key_id, sign, verify
from svckit.errors import NotFound
from svckit.ids import check_id

__all__ = ["AuthService", "Identity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom a good token speaks for, with their permissions as of now."""

    user_id: str
    organization_id: str
    permissions: tuple[str, ...]


class AuthService:
    """`wall_clock` gives seconds since 1970; tokens live by it. All methods raise Unavailable."""

    def __init__(
        self, *, store: Store, keys: Keys, rules: TokenRules, wall_clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._keys = keys
        self._rules = rules
        self._wall_clock = wall_clock

    async def validate_local(self, query: LocalQuery) -> Verdict:
        return decide(await self._store.access_facts(query))

    async def explain(self, query: LocalQuery) -> tuple[Verdict, tuple[Finding, ...]]:
        """The verdict and every condition behind it."""
        facts = await self._store.access_facts(query)
        return decide(facts), explain(facts)

    async def user_permissions(self, user_id: str) -> tuple[str, ...]:
        """Sorted. Raises NotFound for an unknown user."""
        facts = await self._store.permission_facts(check_id("user_id", user_id))
        if facts is None:
            raise NotFound("no such user")
        return effective_permissions(facts)

    async def verify_token(self, token: str) -> Identity:
        """Raises BadToken. A token of a user who is not active any more is a bad one."""
        keys = await self._keys.verifying(key_id(token))
        claims = verify(token, keys=keys, rules=self._rules, now=self._wall_clock())
        facts = await self._store.permission_facts(claims.user_id)
        if (
            facts is None
            or facts.organization_id != claims.organization_id
            or facts.user_status is not Status.ACTIVE
            or facts.organization_status is not Status.ACTIVE
        ):
            raise BadToken("user not active")
        return Identity(
            user_id=claims.user_id,
            organization_id=claims.organization_id,
            permissions=effective_permissions(facts),
        )

    async def issue_token(self, user_id: str) -> str:
        """A token for this user, good from now on. Raises NotFound."""
        facts = await self._store.permission_facts(check_id("user_id", user_id))
        if facts is None:
            raise NotFound("no such user")
        now = int(self._wall_clock())
        claims = Claims(
            user_id=user_id,
            organization_id=facts.organization_id,
            token_id=secrets.token_urlsafe(16),
            issued_at=now,
            expires_at=now + self._rules.ttl_s,
        )
        return sign(claims, key=await self._keys.signing(), rules=self._rules)
