"""Sessions as they are stored. One that has ended is deleted: only what lives can be used."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.session_rules import Session
from authsvc.store.schema import sessions, users
from authsvc.store.statements import Row

__all__ = [
    "sessions_of",
    "session_of_family",
    "add_session",
    "refresh_session",
    "replace_tokens",
    "end_sessions",
    "shut_out",
    "has_sessions_to_trim",
    "trim_sessions",
]

TRIM_PART_ROWS = 5_000


async def sessions_of(connection: AsyncConnection, user_id: str) -> tuple[Session, ...]:
    """Newest first."""
    return await _read(connection, sessions.c.user_id == user_id)


async def session_of_family(connection: AsyncConnection, family_hash: str) -> Session | None:
    found = await _read(connection, sessions.c.family_hash == family_hash)
    return found[0] if found else None


async def _read(connection: AsyncConnection, condition: ColumnElement[bool]) -> tuple[Session, ...]:
    newest_first = (sessions.c.created_at.desc(), sessions.c.id)
    rows = await connection.execute(select(sessions).where(condition).order_by(*newest_first))
    return tuple(_session(row) for row in rows)


def _session(row: Row) -> Session:
    return Session(
        id=row.id,
        user_id=row.user_id,
        organization_id=row.organization_id,
        refresh_hash=row.refresh_hash,
        created_at=row.created_at,
        refreshed_at=row.refreshed_at,
        expires_at=row.expires_at,
    )


async def add_session(connection: AsyncConnection, session: Session, *, family_hash: str) -> None:
    row: dict[str, Any] = {
        "id": session.id,
        "user_id": session.user_id,
        "organization_id": session.organization_id,
        "family_hash": family_hash,
        "refresh_hash": session.refresh_hash,
        "created_at": session.created_at,
        "refreshed_at": session.refreshed_at,
        "expires_at": session.expires_at,
    }
    await connection.execute(sessions.insert(), row)


async def refresh_session(connection: AsyncConnection, session: Session) -> None:
    """Stores what a refresh changes."""
    changed = {
        "refresh_hash": session.refresh_hash,
        "refreshed_at": session.refreshed_at,
        "expires_at": session.expires_at,
    }
    await connection.execute(update(sessions).where(sessions.c.id == session.id).values(changed))


async def replace_tokens(
    connection: AsyncConnection, session: Session, *, family_hash: str
) -> None:
    """`refresh_session`, with a family of its own: no token from before belongs to it any more."""
    await refresh_session(connection, session)
    changed = update(sessions).where(sessions.c.id == session.id)
    await connection.execute(changed.values(family_hash=family_hash))


async def end_sessions(connection: AsyncConnection, ids: Collection[str]) -> None:
    """A handful of them. Whoever calls this records what it touches."""
    await connection.execute(delete(sessions).where(sessions.c.id.in_(ids)))


async def shut_out(
    connection: AsyncConnection,
    user_ids: Sequence[str],
    *,
    wall_now: float,
    kept_session_id: str | None = None,
) -> None:
    """Ends all that these users have: their sessions, but for one, and the tokens issued up to now.

    For good: a user who is active again logs in again. Whoever calls this records what it touches.
    """
    if not user_ids:
        return
    # A token says when it was issued in whole seconds, so all of this one are from before; and so
    # are those of the next one, when a shut-out before this one made them begin with it.
    now, last = int(wall_now), users.c.tokens_valid_from
    after = case((last > now, last), else_=now) + 1
    whose = users.c.id.in_(user_ids)
    await connection.execute(update(users).where(whose).values(tokens_valid_from=after))
    ended = sessions.c.user_id.in_(user_ids) & (sessions.c.id != (kept_session_id or ""))
    await connection.execute(delete(sessions).where(ended))


async def has_sessions_to_trim(connection: AsyncConnection, *, wall_now: float) -> bool:
    over = select(sessions.c.id).where(sessions.c.expires_at <= int(wall_now)).limit(1)
    return await connection.scalar(over) is not None


async def trim_sessions(connection: AsyncConnection, *, wall_now: float) -> None:
    """Forgets the first of those that are over.

    No token of theirs is good any more, so no cache needs to hear of it.
    """
    over = (
        select(sessions.c.id)
        .where(sessions.c.expires_at <= int(wall_now))
        .order_by(sessions.c.expires_at)
        .limit(TRIM_PART_ROWS)
    )
    await connection.execute(delete(sessions).where(sessions.c.id.in_(over)))
