"""Sessions: logging in and out, refreshing, and passwords; the use cases over the store.

Whoever fails to log in is told the same, after the same work, whatever the reason.
"""

import secrets
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from authsvc.audit import Actor
from authsvc.entity_rules import TEXT_BYTES_MAX
from authsvc.login_limits import Attempt
from authsvc.password_rules import new_password_bytes, password_bytes
from authsvc.passwords import Passwords
from authsvc.refresh_tokens import REFRESH_TOKEN_REFUSED, SECRET_BYTES, RefreshToken
from authsvc.service import AccessToken, AuthService
from authsvc.session_rules import Session
from authsvc.store import LoginStore, SessionStore
from authsvc.store.admission import fold_email
from authsvc.store.login_store import LoginBegun, LoginRefusal
from svckit.errors import Forbidden, NotFound, Unauthenticated
from svckit.ids import check_id
from svckit.text import check_text

__all__ = ["Sessions", "Started"]

LOGIN_REFUSED = "the organization, email or password is wrong"
PASSWORD_REFUSED = "the current password is wrong"  # noqa: S105 # a sentence, not a secret
# Whoever sets passwords comes from no network.
OPERATORS = "operators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A session that has started or gone on, with what its owner needs to use it."""

    session: Session
    access_token: AccessToken
    refresh_token: str = field(repr=False)


class Sessions:
    """Every method raises Unavailable when the database does not answer."""

    def __init__(
        self,
        *,
        store: SessionStore,
        logins: LoginStore,
        service: AuthService,
        passwords: Passwords,
        log: FilteringBoundLogger,
    ) -> None:
        self._store = store
        self._logins = logins
        self._service = service
        self._passwords = passwords
        self._log = log

    async def log_in(
        self, *, organization_id: str, email: str, password: str, network: str
    ) -> Started:
        """Raises InvalidRequest, Unauthenticated; Overloaded when it has to wait."""
        check_id("organization_id", organization_id)
        check_text("email", email, bytes_max=TEXT_BYTES_MAX)
        given = password_bytes(password)
        attempt = Attempt(
            organization_id=organization_id, email_folded=fold_email(email), network=network
        )
        await self._logins.judge(attempt)
        with self._passwords.place(network):
            begun, new_hash = await self._verified(attempt, given)
            token = _new_token()
            session = await self._logins.start_session(
                begun, secrets.token_hex(16), token, new_hash=new_hash
            )
            if session is None:
                raise await self._refused(begun, LoginRefusal.CHANGED_MEANWHILE)
        assert begun.account is not None, "a session of nobody"
        return await self._started(session, token, valid_from=begun.account.tokens_valid_from)

    async def _verified(self, attempt: Attempt, given: bytes) -> tuple[LoginBegun, str | None]:
        """With the hash to be stored from now on, if it is another. Raises Unauthenticated."""
        begun = await self._logins.begin(attempt)
        account = begun.account
        stored = account.password_hash if account else None
        is_match = await self._passwords.is_match(stored, given)
        if account is None:
            raise await self._refused(begun, LoginRefusal.UNKNOWN_USER)
        if stored is None:
            raise await self._refused(begun, LoginRefusal.NO_PASSWORD)
        if not is_match:
            raise await self._refused(begun, LoginRefusal.WRONG_PASSWORD)
        if not account.is_active:
            raise await self._refused(begun, LoginRefusal.NOT_ACTIVE)
        if self._passwords.is_outdated(stored):
            return begun, await self._passwords.hash(given)
        return begun, None

    async def _refused(self, begun: LoginBegun, reason: LoginRefusal) -> Unauthenticated:
        await self._logins.refuse(begun, reason)
        return Unauthenticated(LOGIN_REFUSED)

    async def refresh(self, refresh_token: str, *, network: str) -> Started:
        """Raises Unauthenticated; Overloaded when it has to wait.

        A token that was used before ends its session.
        """
        token = RefreshToken.parse(refresh_token)
        following = RefreshToken(family=token.family, generation=_new_secret())
        refreshed = await self._store.refresh(
            token, generation_hash=following.generation_hash, network=network
        )
        if refreshed is None:
            raise Unauthenticated(REFRESH_TOKEN_REFUSED)
        session = refreshed.session
        if refreshed.is_reuse:
            self._log.warning("refresh_reused", session_id=session.id)
            raise Unauthenticated(REFRESH_TOKEN_REFUSED)
        return await self._started(session, following, valid_from=refreshed.tokens_valid_from)

    async def _started(self, session: Session, token: RefreshToken, *, valid_from: int) -> Started:
        access_token = await self._service.issue_session_token(session, valid_from=valid_from)
        return Started(session=session, access_token=access_token, refresh_token=token.text)

    async def of_user(self, user_id: str) -> tuple[Session, ...]:
        """Those that live, newest first."""
        return await self._store.sessions_of(check_id("user_id", user_id))

    async def _living(self, user_id: str, session_id: str) -> Session:
        """Raises NotFound."""
        for session in await self._store.sessions_of(user_id):
            if session.id == session_id:
                return session
        raise NotFound("no such session")

    async def end(self, user_id: str, session_id: str, *, by: Actor, reason: str) -> None:
        """Raises NotFound: another user's session looks the same as none."""
        check_id("session_id", session_id)
        if not await self._store.end_sessions(user_id, {session_id}, by=by, reason=reason):
            raise NotFound("no such session")

    async def end_all(self, user_id: str, *, by: Actor) -> int:
        """How many there were. Raises NotFound for an unknown user."""
        check_id("user_id", user_id)
        return len(await self._store.end_sessions(user_id, None, by=by, reason="ended"))

    async def change_password(
        self, user_id: str, session_id: str, *, current: str, new: str, network: str
    ) -> Started:
        """This session with other tokens, for none that was issued up to now is good.

        All other sessions of the user end. Raises InvalidRequest; Forbidden for a wrong `current`;
        Overloaded when it has to wait, as a login does.
        """
        given, wanted = password_bytes(current), new_password_bytes(new)
        account = await self._store.account(user_id)
        session = await self._living(user_id, session_id)
        attempt = Attempt(
            organization_id=account.organization_id,
            email_folded=account.email_folded,
            network=network,
        )
        await self._logins.judge(attempt)
        with self._passwords.place(network):
            try:
                begun, _ = await self._verified(attempt, given)
            except Unauthenticated as exc:
                raise Forbidden(PASSWORD_REFUSED) from exc
            new_hash = await self._passwords.hash(wanted)
            token = _new_token()
            changed = await self._logins.change_password(
                begun, new_hash, kept_session_id=session.id, token=token
            )
            if changed is None:
                await self._logins.refuse(begun, LoginRefusal.CHANGED_MEANWHILE)
                raise Forbidden(PASSWORD_REFUSED)
        account, session = changed
        return await self._started(session, token, valid_from=account.tokens_valid_from)

    async def set_password(self, user_id: str, password: str, *, by: Actor) -> None:
        """Whatever it was before. All sessions of the user end. Raises InvalidRequest, NotFound."""
        check_id("user_id", user_id)
        wanted = new_password_bytes(password)
        with self._passwords.place(OPERATORS):
            new_hash = await self._passwords.hash(wanted)
        await self._store.set_password(user_id, new_hash, by=by)

    async def trim(self) -> None:
        """Forgets what is long over."""
        await self._store.trim()


def _new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def _new_token() -> RefreshToken:
    return RefreshToken(family=_new_secret(), generation=_new_secret())
