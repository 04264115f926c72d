"""What Auth does for those who ask: the use cases, between the wires and the store."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from authsvc.access import UserRecord
from authsvc.as_of import AsOf
from authsvc.checks import Checks
from authsvc.columns import Columns
from authsvc.decision import (
    Finding,
    Verdict,
    are_active,
    current_permissions,
    decide,
    explain,
)
from authsvc.freshness import LEASE_S
from authsvc.keys import Keys
from authsvc.listing import LocalUsersPage, UserLocalsPage
from authsvc.model import LocalQuery
from authsvc.paging import id_before, page_size_of, token_after
from authsvc.rows import Decided
from authsvc.session_rules import Session, is_ended, is_revoked
from authsvc.store import Store
from authsvc.tokens import BadToken, Claims, TokenRules, key_id, sign, verify
from svckit.errors import NotFound
from svckit.ids import check_id

__all__ = ["AuthService", "Identity", "AccessToken", "Permissions", "Explanation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom a good token speaks for, with their permissions as of then. In seconds since 1970."""

    user_id: str
    organization_id: str
    permissions: tuple[str, ...]
    expires_at: int
    as_of: AsOf
    session_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """Good for `lifetime_s` from now."""

    text: str = field(repr=False)
    lifetime_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """Sorted; none for an inactive user or organization."""

    organization_id: str
    permissions: tuple[str, ...]
    as_of: AsOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The verdict and every condition behind it."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    as_of: AsOf


class AuthService:
    """`wall_clock` gives seconds since 1970; tokens live by it. All methods raise Unavailable."""

    def __init__(
        self,
        *,
        store: Store,
        checks: Checks,
        keys: Keys,
        rules: TokenRules,
        wall_clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._checks = checks
        self._keys = keys
        self._rules = rules
        self._wall_clock = wall_clock
        # What was written so long before is known here for certain, or read: the lease, and how far
        # clocks may differ; when a token was issued is told in whole seconds.
        self._known_after_s = LEASE_S + rules.leeway_s + 1

    def is_warm(self, columns: Columns) -> bool:
        """Whether `check_locals` will most likely answer without waiting for anything."""
        return self._checks.is_warm(columns)

    async def check_locals(self, columns: Columns) -> tuple[Decided, AsOf]:
        """All rows as of one revision."""
        return await self._checks.decide(columns)

    async def validate_local(self, query: LocalQuery) -> Verdict:
        decided, _ = await self.check_locals(_row(query))
        return Verdict(reason=decided.reasons[0], local_name=decided.local_names[0])

    async def explain(self, query: LocalQuery) -> Explanation:
        facts, as_of = await self._checks.facts(_row(query))
        return Explanation(verdict=decide(facts), findings=explain(facts), as_of=as_of)

    async def user_permissions(self, user_id: str) -> Permissions:
        """Raises NotFound for an unknown user."""
        access, as_of = await self._checks.user_access(check_id("user_id", user_id))
        user = _existing(access.user)
        return Permissions(
            organization_id=user.organization_id,
            permissions=current_permissions(user, access.organization),
            as_of=as_of,
        )

    async def verify_token(self, token: str) -> Identity:
        """Raises BadToken.

        A token of a user who is not active any more is a bad one, as is one whose session has
        ended.
        """
        kid = key_id(token)
        keys = await self._keys.verifying(kid)
        claims = verify(token, keys=keys, rules=self._rules, now=self._wall_clock())
        access, as_of = await self._checks.user_access(claims.user_id)
        is_young = self._wall_clock() < claims.issued_at + self._known_after_s
        if is_young and access.user is not None and is_ended(claims, access.user):
            # It may have started a moment ago, by another process: then it is not known here yet.
            access, as_of = await self._checks.user_access_read(claims.user_id)
        user = access.user
        if (
            user is None
            or user.organization_id != claims.organization_id
            or not are_active(user, access.organization)
        ):
            raise BadToken("user not active")
        # The key may have been withdrawn during the read: the answer must not claim to know of a
        # revision at which the token was worth nothing any more.
        if kid not in await self._keys.verifying(kid):
            raise BadToken("unknown key")
        if is_ended(claims, user):
            raise BadToken("session ended")
        if is_revoked(claims, user):
            raise BadToken("token revoked")
        return Identity(
            user_id=claims.user_id,
            organization_id=claims.organization_id,
            permissions=user.permissions,
            expires_at=claims.expires_at,
            session_id=claims.session_id,
            as_of=as_of,
        )

    async def issue_token(self, user_id: str) -> str:
        """A token for this user, good from now on. Raises NotFound."""
        access, _ = await self._checks.user_access(check_id("user_id", user_id))
        user = _existing(access.user)
        issued = await self._sign(
            user_id, user.organization_id, valid_from=user.tokens_valid_from, session=None
        )
        return issued.text

    async def issue_session_token(self, session: Session, *, valid_from: int) -> AccessToken:
        """As `issue_token`, but not good for longer than its session; `valid_from`: the user's."""
        return await self._sign(
            session.user_id, session.organization_id, valid_from=valid_from, session=session
        )

    async def _sign(
        self, user_id: str, organization_id: str, *, valid_from: int, session: Session | None
    ) -> AccessToken:
        # Within the second of a revocation the next one counts, or it would hit this token as well.
        now = max(int(self._wall_clock()), valid_from)
        end = now + self._rules.ttl_s
        claims = Claims(
            user_id=user_id,
            organization_id=organization_id,
            token_id=secrets.token_urlsafe(16),
            issued_at=now,
            expires_at=end if session is None else min(end, session.expires_at),
            session_id=None if session is None else session.id,
        )
        text = sign(claims, key=await self._keys.signing(), rules=self._rules)
        return AccessToken(text=text, lifetime_s=claims.expires_at - now)

    async def list_user_locals(
        self, user_id: str, *, page_size: int, page_token: str
    ) -> tuple[UserLocalsPage, str]:
        """The locals this user may enter, and the token of the next page. Raises NotFound."""
        check_id("user_id", user_id)
        size, after_id = page_size_of(page_size), id_before(page_token)
        page = await self._store.list_user_locals(
            user_id=user_id, after_id=after_id, limit=size + 1
        )
        if len(page.rows) <= size:
            return page, ""
        rows = page.rows[:size]
        return UserLocalsPage(rows=rows, revision=page.revision), token_after(rows[-1][0])

    async def list_local_users(
        self, local_id: str, *, page_size: int, page_token: str
    ) -> tuple[LocalUsersPage, str]:
        """The users who may enter this local, and the token of the next page. Raises NotFound."""
        check_id("local_id", local_id)
        size, after_id = page_size_of(page_size), id_before(page_token)
        page = await self._store.list_local_users(
            local_id=local_id, after_id=after_id, limit=size + 1
        )
        if len(page.rows) <= size:
            return page, ""
        rows = page.rows[:size]
        return LocalUsersPage(rows=rows, revision=page.revision), token_after(rows[-1])


def _row(query: LocalQuery) -> Columns:
    return Columns(
        user_ids=(query.user_id,),
        organization_ids=(query.organization_id,),
        local_ids=(query.local_id,),
    )


def _existing(user: UserRecord | None) -> UserRecord:
    if user is None:
        raise NotFound("no such user")
    return user
