"""The keys that sign tokens, as they are stored. What a key is worth is the tokens' business."""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.store.schema import signing_keys

__all__ = ["StoredKey", "all_keys", "add_first_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """`created_at` is in whole seconds since 1970."""

    kid: str
    algorithm: str
    private_pem: str = field(repr=False)
    public_pem: str
    created_at: int


async def all_keys(connection: AsyncConnection) -> tuple[StoredKey, ...]:
    """Newest first."""
    newest_first = (signing_keys.c.created_at.desc(), signing_keys.c.kid)
    rows = await connection.execute(select(signing_keys).order_by(*newest_first))
    return tuple(
        StoredKey(
            kid=row.kid,
            algorithm=row.algorithm,
            private_pem=row.private_key,
            public_pem=row.public_key,
            created_at=row.created_at,
        )
        for row in rows
    )


async def add_first_key(connection: AsyncConnection, key: StoredKey) -> None:
    """Nothing when there is a key. Only for the only writer, or there might be two first ones."""
    if await connection.scalar(select(signing_keys.c.kid).limit(1)) is not None:
        return
    row = {
        "kid": key.kid,
        "algorithm": key.algorithm,
        "private_key": key.private_pem,
        "public_key": key.public_pem,
        "created_at": key.created_at,
    }
    await connection.execute(signing_keys.insert(), row)
