"""Rows of the audit log follow each other, say what they were told, and stay as they are."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.audit import OPERATOR, Actor, ActorKind, AuditEntry
from authsvc.store.audit import append
from authsvc.store.schema import audit

ENTRY = AuditEntry(
    actor=Actor(kind=ActorKind.USER, id="ana"),
    action="assignment.remove",
    organization_id="acme",
    target="user:luis",
    before={"local_id": "centro"},
)


async def test_what_is_appended_is_read_back_in_its_order(engine: AsyncEngine) -> None:
    other = AuditEntry(actor=OPERATOR, action="key.make", organization_id=None, target="key:k1")
    async with engine.begin() as connection:
        await append(connection, [ENTRY, other], revision=7, wall_now=1_000.9)
    async with engine.begin() as connection:
        await append(connection, [], revision=None, wall_now=1_001.0)
        await append(connection, [ENTRY], revision=None, wall_now=1_001.0)

    async with engine.connect() as connection:
        rows = (await connection.execute(select(audit).order_by(audit.c.id))).all()
    assert [tuple(row) for row in rows] == [
        (1, 1_000, "user", "ana", "assignment.remove", "acme", "user:luis",
         '{"local_id":"centro"}', None, 7, ""),
        (2, 1_000, "operator", "", "key.make", None, "key:k1", None, None, 7, ""),
        (3, 1_001, "user", "ana", "assignment.remove", "acme", "user:luis",
         '{"local_id":"centro"}', None, None, ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET actor_id = 'nobody'", "DELETE FROM audit", "DELETE FROM audit WHERE id = 1"],
)
async def test_the_database_refuses_to_change_or_delete_a_row(
    engine: AsyncEngine, statement: str
) -> None:
    async with engine.begin() as connection:
        await append(connection, [ENTRY], revision=1, wall_now=1_000.0)

    with pytest.raises(DBAPIError, match="rows of the audit log stay as they are"):
        async with engine.begin() as connection:
            await connection.execute(text(statement))
