"""Puts entities into a store, and looks at what it holds, by what every caller has."""

from authsvc.access import AccessPage
from authsvc.audit import SYSTEM
from authsvc.changes import Change, ChangePage
from authsvc.decision import AccessFacts
from authsvc.decision import facts_of as facts_in_records
from authsvc.model import Entity, LocalQuery, User
from authsvc.store import Store

__all__ = [
    "put",
    "stored",
    "stored_user",
    "here",
    "changes_since",
    "access",
    "permissions",
    "facts",
    "facts_of",
]


async def put(store: Store, *entities: Entity) -> None:
    """All of them, none rejected."""
    assert await store.put_each(entities, by=SYSTEM) == ()


async def stored(store: Store) -> list[Entity]:
    return [entity async for entity in store.export()]


async def stored_user(store: Store, user_id: str) -> User | None:
    users = (entity for entity in await stored(store) if isinstance(entity, User))
    return next((user for user in users if user.id == user_id), None)


async def here(store: Store) -> ChangePage:
    """Where the feed stands."""
    return await store.read_changes(database_id="", after=0)


async def changes_since(store: Store, start: ChangePage) -> list[Change]:
    """All of them: there is no gap."""
    page = await store.read_changes(database_id=start.database_id, after=start.revision)
    assert not page.is_gap
    return list(page.changes)


async def access(store: Store, *queries: LocalQuery) -> AccessPage:
    """Everything that these questions need, from scratch."""
    return await store.read_access(
        user_ids={query.user_id for query in queries},
        organization_ids={query.organization_id for query in queries},
        local_ids={query.local_id for query in queries},
        database_id="",
        after=0,
    )


async def permissions(store: Store, user_id: str) -> tuple[str, ...] | None:
    """None: there is no such user."""
    asked = LocalQuery(user_id=user_id, organization_id="-", local_id="-")
    user = (await access(store, asked)).users[user_id]
    return None if user is None else user.permissions


async def facts(store: Store, query: LocalQuery) -> AccessFacts:
    return facts_of(await access(store, query), query)


def facts_of(page: AccessPage, query: LocalQuery) -> AccessFacts:
    return facts_in_records(
        page.users[query.user_id],
        page.organizations[query.organization_id],
        page.locals[query.local_id],
        query.organization_id,
        query.local_id,
    )
