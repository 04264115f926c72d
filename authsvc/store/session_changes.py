"""What became of a user's sessions and password, told to the change feed and the audit log."""

from collections.abc import Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.audit import Actor, AuditEntry
from authsvc.store import audit, change_log
from authsvc.store.logins import StoredAccount
from authsvc.store.touches import Touch

__all__ = ["record", "entry", "ended"]


async def record(
    connection: AsyncConnection,
    account: StoredAccount,
    entries: Collection[AuditEntry],
    *,
    wall_now: float,
) -> None:
    """Everybody forgets what they knew of the user."""
    touch = Touch(account.organization_id, user_id=account.user_id)
    revision = await change_log.record(connection, [touch], wall_now=wall_now)
    await audit.append(connection, entries, revision=revision, wall_now=wall_now)


def entry(
    account: StoredAccount,
    action: str,
    target: str,
    *,
    by: Actor,
    after: Mapping[str, object] | None = None,
) -> AuditEntry:
    return AuditEntry(
        actor=by,
        action=action,
        organization_id=account.organization_id,
        target=target,
        after=after,
    )


def ended(account: StoredAccount, session_id: str, *, by: Actor, reason: str) -> AuditEntry:
    after = {"user_id": account.user_id, "reason": reason}
    return entry(account, "session.end", f"session:{session_id}", by=by, after=after)
