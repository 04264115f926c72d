"""Attempts to log in: each method one transaction on Auth's database.

An attempt is counted in one transaction and judged in another, for nobody else may write while a
password is hashed. So what was true at the first is looked at again in the second.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from authsvc.audit import STRANGER, Actor, ActorKind, AuditEntry
from authsvc.denials import Denial, Denials
from authsvc.login_limits import (
    Attempt,
    Scope,
    Tally,
    begins_wait,
    counted,
    limit_keys,
    taken_back,
    wait_s,
)
from authsvc.refresh_tokens import RefreshToken
from authsvc.session_rules import Session, SessionRules, end_of, surplus
from authsvc.store import audit
from authsvc.store.logins import (
    StoredAccount,
    account_of,
    account_with_email,
    put_password,
    read_tallies,
    touch_tallies,
    write_tallies,
)
from authsvc.store.session_changes import ended, entry, record
from authsvc.store.sessions import (
    add_session,
    end_sessions,
    replace_tokens,
    sessions_of,
    shut_out,
)
from authsvc.store.strangers import Strangers
from svckit.database import reading
from svckit.errors import Overloaded

__all__ = ["LoginStore", "LoginBegun", "LoginRefusal"]


NOTHING = AuditEntry(actor=STRANGER, action="login.failed", organization_id=None, target="user:")
# What a row of each action tells besides.
TOLD = {"login.failed": "reason", "login.locked": "scope"}


class LoginRefusal(StrEnum):
    """Why, for the audit log alone: to the caller all of them are one."""

    UNKNOWN_USER = "unknown user"
    NOT_ACTIVE = "user or organization not active"
    NO_PASSWORD = "no password is set"  # noqa: S105 # a reason, not a secret
    WRONG_PASSWORD = "wrong password"  # noqa: S105 # a reason, not a secret
    CHANGED_MEANWHILE = "changed during the login"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginBegun:
    """An attempt that is counted as a failure until it turns out to be none."""

    attempt: Attempt
    keys: Mapping[Scope, str]
    tallies: Mapping[Scope, Tally]
    account: StoredAccount | None


class LoginStore:
    """Every method raises Unavailable when the database does not answer."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        rules: SessionRules,
        strangers: Strangers,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._rules = rules
        self._strangers = strangers
        self._wall_clock = wall_clock
        self._clock = clock
        # Apart, and each bounded: whoever makes up accounts must not make the audit log grow.
        self._unknown = {"login.failed": Denials(), "login.locked": Denials()}

    async def judge(self, attempt: Attempt) -> None:
        """Raises Overloaded when it comes too early, as far as can be told without the write lock.

        So whoever has to wait takes nobody's place.
        """
        async with (
            self._strangers.place(attempt.network),
            reading(self._engine) as connection,
        ):
            await self._judged(connection, attempt, limit_keys(attempt))

    async def begin(self, attempt: Attempt) -> LoginBegun:
        """Counts it. Raises Overloaded when it comes too early, and leaves all as it was."""
        now = self._wall_clock()
        keys = limit_keys(attempt)
        async with self._strangers.writing() as connection:
            account, tallies = await self._judged(connection, attempt, keys)
            tallies = {scope: counted(scope, tally, now=now) for scope, tally in tallies.items()}
            await write_tallies(connection, keys, tallies)
        return LoginBegun(attempt=attempt, keys=keys, tallies=tallies, account=account)

    async def _judged(
        self, connection: AsyncConnection, attempt: Attempt, keys: Mapping[Scope, str]
    ) -> tuple[StoredAccount | None, dict[Scope, Tally]]:
        account = await account_with_email(connection, attempt)
        tallies = await read_tallies(connection, keys)
        known = account.known_networks if account else ()
        is_known_network = keys[Scope.ACCOUNT_FROM_NETWORK] in known
        pause_s = wait_s(tallies, now=self._wall_clock(), is_known_network=is_known_network)
        if pause_s > 0:
            raise Overloaded("too many failed logins; wait a while", retry_after_s=pause_s)
        return account, tallies

    async def refuse(self, begun: LoginBegun, reason: LoginRefusal) -> None:
        """Tells the audit log, of what accounts there are not only so much; it stays counted."""
        waits = [scope for scope, tally in begun.tallies.items() if begins_wait(scope, tally)]
        told = [("login.failed", reason.value), *(("login.locked", scope.value) for scope in waits)]
        entries = [entry for action, what in told for entry in self._failures(begun, action, what)]
        async with self._strangers.writing() as connection:
            # With nothing to tell it must not be quicker: nobody may learn who has an account. So
            # there is always something to commit, and a row, which is then taken back.
            await touch_tallies(connection, begun.keys)
            row = await connection.begin_nested()
            await audit.append(
                connection, entries or [NOTHING], revision=None, wall_now=self._wall_clock()
            )
            await (row.commit() if entries else row.rollback())

    def _failures(self, begun: LoginBegun, action: str, what: str) -> list[AuditEntry]:
        """The email stays out of it: an unknown one may be a password, typed one field too early.

        So does the organization that somebody names who has no account in it.
        """
        account = begun.account
        if account is not None:
            return [
                AuditEntry(
                    actor=STRANGER,
                    action=action,
                    organization_id=account.organization_id,
                    target=f"user:{account.user_id}",
                    after={TOLD[action]: what},
                )
            ]
        denial = Denial(
            actor=STRANGER,
            organization_id=None,
            address=begun.attempt.network,
            route=what,
            status=401,
        )
        told = self._unknown[action].note(denial, now=self._clock())
        return [_unknown(action, kind, count) for kind, count in told]

    async def start_session(
        self, begun: LoginBegun, session_id: str, token: RefreshToken, *, new_hash: str | None
    ) -> Session | None:
        """The password was right. None when that is not true any more.

        `new_hash`: of the same password, at today's cost. The oldest sessions beyond the limit end.
        """
        now = int(self._wall_clock())
        async with self._strangers.writing() as connection:
            account = await self._accept(connection, begun)
            if account is None:
                return None
            await self._put_password(
                connection, begun, account, new_hash, known=account.known_networks
            )
            session = Session(
                id=session_id,
                user_id=account.user_id,
                organization_id=account.organization_id,
                refresh_hash=token.generation_hash,
                created_at=now,
                refreshed_at=now,
                expires_at=end_of(self._rules, created_at=now, refreshed_at=now),
            )
            gone = surplus(await sessions_of(connection, account.user_id), self._rules)
            await end_sessions(connection, gone)
            await add_session(connection, session, family_hash=token.family_hash)
            user = Actor(kind=ActorKind.USER, id=account.user_id)
            entries = [
                *(ended(account, id_, by=user, reason="too many") for id_ in gone),
                entry(account, "session.start", f"session:{session_id}", by=user),
            ]
            await record(connection, account, entries, wall_now=now)
        return session

    async def change_password(
        self, begun: LoginBegun, new_hash: str, *, kept_session_id: str, token: RefreshToken
    ) -> tuple[StoredAccount, Session] | None:
        """The old password was right. None when that is not true any more.

        All other sessions of the user end, and all tokens up to now, the kept session's refresh
        token too: it goes on with `token`. No network is known from before.
        """
        now = int(self._wall_clock())
        async with self._strangers.writing() as connection:
            # Looked at first: returning commits, and there must be nothing to commit by then.
            user_id = begun.account.user_id if begun.account else ""
            found = {session.id: session for session in await sessions_of(connection, user_id)}
            kept = found.get(kept_session_id)
            if kept is None or now >= kept.expires_at:
                return None
            account = await self._accept(connection, begun)
            if account is None:
                return None
            await self._put_password(connection, begun, account, new_hash, known=())
            kept = replace(
                kept,
                refresh_hash=token.generation_hash,
                refreshed_at=now,
                expires_at=end_of(self._rules, created_at=kept.created_at, refreshed_at=now),
            )
            await replace_tokens(connection, kept, family_hash=token.family_hash)
            await shut_out(
                connection, [account.user_id], wall_now=now, kept_session_id=kept_session_id
            )
            user = Actor(kind=ActorKind.USER, id=account.user_id)
            changed = entry(account, "password.change", f"user:{account.user_id}", by=user)
            await record(connection, account, [changed], wall_now=now)
            after = await account_of(connection, account.user_id)
            assert after is not None, "it was there a moment ago, and nobody else writes"
        return after, kept

    async def _accept(self, connection: AsyncConnection, begun: LoginBegun) -> StoredAccount | None:
        """Takes the failure back."""
        before, account = begun.account, await account_with_email(connection, begun.attempt)
        if before is None or account is None or account.password_hash is None:
            return None
        is_same = (account.user_id, account.password_hash) == (before.user_id, before.password_hash)
        if not is_same or not account.is_active:
            return None
        tallies = await read_tallies(connection, begun.keys)
        less = {scope: taken_back(scope, tally) for scope, tally in tallies.items()}
        await write_tallies(connection, begun.keys, less)
        return account

    async def _put_password(
        self,
        connection: AsyncConnection,
        begun: LoginBegun,
        account: StoredAccount,
        new_hash: str | None,
        *,
        known: Sequence[str],
    ) -> None:
        """Knows this network from now on, besides those that are `known`."""
        assert account.password_hash is not None, "it has just been right"
        here = begun.keys[Scope.ACCOUNT_FROM_NETWORK]
        await put_password(
            connection,
            account.user_id,
            new_hash or account.password_hash,
            known_networks=(here, *(network for network in known if network != here)),
            wall_now=self._wall_clock(),
        )


def _unknown(action: str, kind: Denial, count: int) -> AuditEntry:
    """`kind` may stand for many that were not told apart: then it has no address."""
    after: dict[str, object] = {"count": count}
    if kind.address:
        after |= {TOLD[action]: kind.route, "address": kind.address}
    return AuditEntry(
        actor=STRANGER, action=action, organization_id=None, target="user:", after=after
    )
