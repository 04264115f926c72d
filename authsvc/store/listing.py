"""Lists of who may enter where: the rules of the decision as joins, a page in one query."""

from typing import Any

from sqlalchemy import Select, Subquery, bindparam, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.listing import LocalUsersPage, UserLocalsPage
from authsvc.model import Status
from authsvc.store.schema import feed, locals_, organizations, user_locals, users
from svckit.errors import NotFound

__all__ = ["user_locals_page", "local_users_page"]

ALL_ACTIVE = tuple(
    table.c.status == Status.ACTIVE.value for table in (users, organizations, locals_)
)
# An assignment joins a user and a local of one organization: the schema sees to that.
ALLOWED = (
    user_locals.join(users, users.c.id == user_locals.c.user_id)
    .join(locals_, locals_.c.id == user_locals.c.local_id)
    .join(organizations, organizations.c.id == users.c.organization_id)
)


def _user_locals() -> Select[Any]:
    page = (
        select(user_locals.c.local_id.label("id"), locals_.c.name)
        .select_from(ALLOWED)
        .where(
            user_locals.c.user_id == bindparam("owner_id"),
            user_locals.c.local_id > bindparam("after_id"),
            *ALL_ACTIVE,
        )
        .order_by(user_locals.c.local_id)
        .limit(bindparam("limit"))
        .subquery("page")
    )
    return _with_owner(users.c.id, page)


def _local_users() -> Select[Any]:
    page = (
        select(user_locals.c.user_id.label("id"))
        .select_from(ALLOWED)
        .where(
            user_locals.c.local_id == bindparam("owner_id"),
            user_locals.c.user_id > bindparam("after_id"),
            *ALL_ACTIVE,
        )
        .order_by(user_locals.c.user_id)
        .limit(bindparam("limit"))
        .subquery("page")
    )
    return _with_owner(locals_.c.id, page)


def _with_owner(owner_id: Any, page: Subquery) -> Select[Any]:
    """The page, or one row without it, which says whether there is such an owner at all."""
    owner = owner_id == bindparam("owner_id")
    return (
        select(feed.c.revision, owner_id.label("owner_id"), *page.columns)
        .select_from(feed.outerjoin(owner_id.table, owner).outerjoin(page, true()))
        .order_by(page.c.id)
    )


USER_LOCALS = _user_locals()
LOCAL_USERS = _local_users()


async def user_locals_page(
    connection: AsyncConnection, user_id: str, after_id: str, limit: int
) -> UserLocalsPage:
    asked = {"owner_id": user_id, "after_id": after_id, "limit": limit}
    rows = (await connection.execute(USER_LOCALS, asked)).all()
    if rows[0].owner_id is None:
        raise NotFound("no such user")
    return UserLocalsPage(
        rows=tuple((row.id, row.name) for row in rows if row.id is not None),
        revision=rows[0].revision,
    )


async def local_users_page(
    connection: AsyncConnection, local_id: str, after_id: str, limit: int
) -> LocalUsersPage:
    asked = {"owner_id": local_id, "after_id": after_id, "limit": limit}
    rows = (await connection.execute(LOCAL_USERS, asked)).all()
    if rows[0].owner_id is None:
        raise NotFound("no such local")
    return LocalUsersPage(
        rows=tuple(row.id for row in rows if row.id is not None), revision=rows[0].revision
    )
