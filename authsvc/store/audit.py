"""The audit log in the database: rows are added, in the transaction of what they tell of, and stay.

The database itself refuses to change or delete one (see migration 0003).
"""

from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.audit import Actor, ActorKind, AuditEntry, AuditFilter, AuditRow
from authsvc.store.schema import audit
from authsvc.store.statements import Row, insert
from svckit.tracing import current_trace_id

__all__ = ["append", "page"]


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


async def page(
    connection: AsyncConnection, wanted: AuditFilter, before_id: int, limit: int
) -> tuple[AuditRow, ...]:
    """Newest first."""
    conditions = [audit.c.id < before_id]
    for column, value in (
        (audit.c.organization_id, wanted.organization_id),
        (audit.c.actor_id, wanted.actor_id),
        (audit.c.action, wanted.action),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.since is not None:
        conditions.append(audit.c.written_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(audit.c.written_at < wanted.until)
    question = select(audit).where(*conditions).order_by(audit.c.id.desc()).limit(limit)
    return tuple(map(_row, (await connection.execute(question)).all()))


def _row(row: Row) -> AuditRow:
    entry = AuditEntry(
        actor=Actor(kind=ActorKind(row.actor_kind), id=row.actor_id),
        action=row.action,
        organization_id=row.organization_id,
        target=row.target,
        before=_object(row.before),
        after=_object(row.after),
    )
    return AuditRow(
        id=row.id,
        written_at=row.written_at,
        entry=entry,
        revision=row.revision,
        trace_id=row.trace_id,
    )


def _object(text: str | None) -> dict[str, object] | None:
    return None if text is None else msgspec.json.decode(text, type=dict[str, object])


def _json(value: Mapping[str, object] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value, order="sorted").decode()
