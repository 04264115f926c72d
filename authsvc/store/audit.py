"""The audit log in the database: rows are added, in the transaction of what they tell of, and stay.

The database itself refuses to change or delete one (see migration 0003).
"""

from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.audit import AuditEntry
from authsvc.store.schema import audit
from authsvc.store.statements import insert
from svckit.tracing import current_trace_id

__all__ = ["append"]


async def append(
    connection: AsyncConnection,
    entries: Collection[AuditEntry],
    *,
    revision: int | None,
    wall_now: float,
) -> None:
    """Only for the only writer, so that ids follow commits.

    `revision` is that of the change they tell of; None when nothing changed for those who ask.
    """
    if not entries:
        return
    last = await connection.scalar(select(func.coalesce(func.max(audit.c.id), 0)))
    assert isinstance(last, int), last
    trace_id = current_trace_id()
    rows = [
        {
            "id": id_,
            "written_at": int(wall_now),
            "actor_kind": entry.actor.kind.value,
            "actor_id": entry.actor.id,
            "action": entry.action,
            "organization_id": entry.organization_id,
            "target": entry.target,
            "before": _json(entry.before),
            "after": _json(entry.after),
            "revision": revision,
            "trace_id": trace_id,
        }
        for id_, entry in enumerate(entries, start=last + 1)
    ]
    await insert(connection, audit, rows)


def _json(value: Mapping[str, object] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value, order="sorted").decode()
