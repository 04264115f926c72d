"""Access records out of the database, a set at a time, with the changes up to them."""

from collections.abc import Collection

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.access import AccessPage, LocalRecord, OrganizationRecord, UserRecord
from authsvc.store import change_log
from authsvc.store.history import rows_max
from authsvc.store.questions import ACCESS

__all__ = ["read_access", "touch"]

STATEMENTS = {dialect: text(question) for dialect, question in ACCESS.items()}
USERS = msgspec.json.Decoder(dict[str, UserRecord])
ORGANIZATIONS = msgspec.json.Decoder(dict[str, OrganizationRecord])
LOCALS = msgspec.json.Decoder(dict[str, LocalRecord])


async def read_access(
    connection: AsyncConnection,
    *,
    user_ids: Collection[str],
    organization_ids: Collection[str],
    local_ids: Collection[str],
    database_id: str,
    after: int,
) -> AccessPage:
    asked = {
        "user_ids": _json(user_ids),
        "organization_ids": _json(organization_ids),
        "local_ids": _json(local_ids),
        "database_id": database_id,
        "after": after,
        "rows_max": rows_max(database_id),
    }
    row = (await connection.execute(STATEMENTS[connection.dialect.name], asked)).one()
    users = USERS.decode(row.users)
    organizations = ORGANIZATIONS.decode(row.organizations)
    locals_ = LOCALS.decode(row.locals)
    wanted = {*organization_ids, *(user.organization_id for user in users.values())}
    return AccessPage(
        feed=change_log.page(row, database_id=database_id, after=after),
        users={id_: users.get(id_) for id_ in user_ids},
        organizations={id_: organizations.get(id_) for id_ in wanted},
        locals={id_: locals_.get(id_) for id_ in local_ids},
    )


def _json(ids: Collection[str]) -> str:
    return msgspec.json.encode(tuple(ids)).decode()


async def touch(connection: AsyncConnection) -> None:
    """Asks what a decision asks, of nobody; raises if one could not be made."""
    nobody = ("-",)
    await read_access(
        connection,
        user_ids=nobody,
        organization_ids=nobody,
        local_ids=nobody,
        database_id="",
        after=0,
    )
