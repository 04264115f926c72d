"""Puts entities into a store, and looks at what it holds, by what every caller has."""

from authsvc.model import Entity, User
from authsvc.store import Store

__all__ = ["put", "stored", "stored_user"]


async def put(store: Store, *entities: Entity) -> None:
    """All of them, none rejected."""
    assert await store.put_each(entities) == ()


async def stored(store: Store) -> list[Entity]:
    return [entity async for entity in store.export()]


async def stored_user(store: Store, user_id: str) -> User | None:
    users = (entity for entity in await stored(store) if isinstance(entity, User))
    return next((user for user in users if user.id == user_id), None)
