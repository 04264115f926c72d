"""Sessions that go on or end, and passwords that are set: each method one transaction.

Every end of a session is a change on the feed, in the same transaction: once a method has returned,
what ended is refused within the bound that holds for any revocation. A start is one as well, since
whoever knows the user knows their sessions.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from authsvc.audit import STRANGER, Actor
from authsvc.refresh_tokens import RefreshToken
from authsvc.session_rules import Refresh, Session, SessionRules, end_of, judge_refresh
from authsvc.store.commit import WRITE_LOCK
from authsvc.store.logins import (
    StoredAccount,
    account_of,
    has_tallies_to_trim,
    put_password,
    trim_tallies,
)
from authsvc.store.session_changes import ended, entry, record
from authsvc.store.sessions import (
    end_sessions,
    has_sessions_to_trim,
    refresh_session,
    session_of_family,
    sessions_of,
    shut_out,
    trim_sessions,
)
from authsvc.store.strangers import Strangers
from svckit.database import reading, writing
from svckit.errors import NotFound

__all__ = ["SessionStore", "Refreshed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """`session` as it is now, or as it was when the reuse ended it."""

    is_reuse: bool
    session: Session
    tokens_valid_from: int


class SessionStore:
    """Every method raises Unavailable when the database does not answer."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        rules: SessionRules,
        strangers: Strangers,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._rules = rules
        self._strangers = strangers
        self._wall_clock = wall_clock

    async def refresh(
        self, token: RefreshToken, *, generation_hash: str, network: str
    ) -> Refreshed | None:
        """Makes the next generation the current one. None: not a token of a session that goes on.

        The session of a token that was used before ends, whoever it was that used it. Raises
        Overloaded.
        """
        async with self._strangers.place(network):
            # Looked at first: whoever makes tokens up must not get to the only write lock.
            async with reading(self._engine) as connection:
                if await session_of_family(connection, token.family_hash) is None:
                    return None
            return await self._refresh(token, generation_hash)

    async def _refresh(self, token: RefreshToken, generation_hash: str) -> Refreshed | None:
        now = self._wall_clock()
        async with self._strangers.writing() as connection:
            session = await session_of_family(connection, token.family_hash)
            if session is None:
                return None
            account = await _existing(connection, session.user_id)
            outcome = judge_refresh(session, token.generation_hash, now=now)
            if outcome is Refresh.REUSED:
                reuse = ended(account, session.id, by=STRANGER, reason="refresh token used twice")
                await end_sessions(connection, [session.id])
                await record(connection, account, [reuse], wall_now=now)
            elif outcome is Refresh.ROTATE and account.is_active:
                session = self._refreshed(session, generation_hash, int(now))
                await refresh_session(connection, session)
            else:
                return None
        return Refreshed(
            is_reuse=outcome is Refresh.REUSED,
            session=session,
            tokens_valid_from=account.tokens_valid_from,
        )

    def _refreshed(self, session: Session, generation_hash: str, now: int) -> Session:
        end = end_of(self._rules, created_at=session.created_at, refreshed_at=now)
        return replace(session, refresh_hash=generation_hash, refreshed_at=now, expires_at=end)

    async def sessions_of(self, user_id: str) -> tuple[Session, ...]:
        """Those that are not over, newest first."""
        now = self._wall_clock()
        async with reading(self._engine) as connection:
            found = await sessions_of(connection, user_id)
        return tuple(session for session in found if now < session.expires_at)

    async def end_sessions(
        self, user_id: str, ids: Collection[str] | None, *, by: Actor, reason: str
    ) -> tuple[str, ...]:
        """Ends those of the ids that are this user's, or all of them; the ids that were ended.

        Raises NotFound for an unknown user.
        """
        async with writing(self._engine, lock=WRITE_LOCK) as connection:
            account = await _existing(connection, user_id)
            own = [session.id for session in await sessions_of(connection, user_id)]
            gone = tuple(id_ for id_ in own if ids is None or id_ in ids)
            if gone:
                await end_sessions(connection, gone)
                entries = [ended(account, id_, by=by, reason=reason) for id_ in gone]
                await record(connection, account, entries, wall_now=self._wall_clock())
        return gone

    async def account(self, user_id: str) -> StoredAccount:
        """Raises NotFound."""
        async with reading(self._engine) as connection:
            return await _existing(connection, user_id)

    async def set_password(self, user_id: str, password_hash: str, *, by: Actor) -> None:
        """All sessions of the user end, and all tokens up to now. Raises NotFound."""
        now = self._wall_clock()
        async with writing(self._engine, lock=WRITE_LOCK) as connection:
            account = await _existing(connection, user_id)
            await put_password(connection, user_id, password_hash, known_networks=(), wall_now=now)
            await shut_out(connection, [user_id], wall_now=now)
            changed = entry(account, "password.change", f"user:{user_id}", by=by)
            await record(connection, account, [changed], wall_now=now)

    async def trim(self) -> None:
        """Forgets sessions that are over, and failed logins that do not count any more."""
        now = self._wall_clock()
        async with reading(self._engine) as connection:
            is_due = await has_sessions_to_trim(
                connection, wall_now=now
            ) or await has_tallies_to_trim(connection, wall_now=now)
        # Mostly there is nothing, and then nobody has to wait for the only writer.
        if is_due:
            async with writing(self._engine, lock=WRITE_LOCK) as connection:
                await trim_sessions(connection, wall_now=now)
                await trim_tallies(connection, wall_now=now)


async def _existing(connection: AsyncConnection, user_id: str) -> StoredAccount:
    account = await account_of(connection, user_id)
    if account is None:
        raise NotFound("no such user")
    return account
