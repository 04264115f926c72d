"""One write of entities, whole: judged, written, told to the change feed and to the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.admin_rules import may_end_administration
from authsvc.audit import Actor
from authsvc.edits import Edit, entry_of
from authsvc.model import Entity, Status, User
from authsvc.store import audit, change_log, writes
from authsvc.store.admins import has_platform_admin
from authsvc.store.admission import Rejection, admit, mentions
from authsvc.store.sessions import shut_out
from authsvc.store.touches import touch_of
from svckit.errors import Conflict

__all__ = ["WRITE_LOCK", "Committed", "commit", "commit_one"]

# All writers of Auth queue here, so what one has read stays true until it has written.
WRITE_LOCK = "auth_write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """`edits` are what differed from what was stored."""

    edits: tuple[Edit, ...]
    rejections: tuple[Rejection, ...]


async def commit(
    connection: AsyncConnection, entities: Sequence[Entity], *, by: Actor, wall_now: float
) -> Committed:
    """In the transaction of the only writer.

    Raises Conflict when a platform admin was there and none would remain.
    """
    known = await writes.look_up(connection, mentions(entities))
    admission = admit(entities, known)
    edits = await writes.plan(connection, admission)
    is_risky = any(map(may_end_administration, edits)) and await has_platform_admin(connection)
    await writes.write(connection, edits)
    await shut_out(connection, _inactive_users(edits), wall_now=wall_now)
    if is_risky and not await has_platform_admin(connection):
        raise Conflict("that would leave nobody with platform:admin")
    touches = [touch_of(edit) for edit in edits]
    revision = await change_log.record(connection, touches, wall_now=wall_now)
    entries = [entry_of(edit, by=by) for edit in edits]
    await audit.append(connection, entries, revision=revision, wall_now=wall_now)
    return Committed(edits=tuple(edits), rejections=admission.rejections)


async def commit_one(
    connection: AsyncConnection, entity: Entity, *, by: Actor, wall_now: float
) -> bool:
    """True when it changed something. Raises NotFound, Conflict."""
    committed = await commit(connection, [entity], by=by, wall_now=wall_now)
    for rejection in committed.rejections:
        raise rejection.error
    return bool(committed.edits)


def _inactive_users(edits: Sequence[Edit]) -> list[str]:
    return [
        edit.after.id
        for edit in edits
        if isinstance(edit.after, User) and edit.after.status is Status.INACTIVE
    ]
