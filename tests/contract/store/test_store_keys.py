"""Signing keys at rest."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.store import Store, StoredKey
from authsvc.store.schema import signing_keys
from svckit.database import open_database


def key(kid: str, *, created_at: int = 1_700_000_000) -> StoredKey:
    return StoredKey(
        kid=kid,
        algorithm="ES256",
        private_pem=f"private {kid}",
        public_pem=f"public {kid}",
        created_at=created_at,
    )


async def add_by_hand(engine: AsyncEngine, key: StoredKey) -> None:
    """As an operator does: no command of ours adds a second key."""
    row = (key.kid, key.algorithm, key.private_pem, key.public_pem, key.created_at)
    async with engine.begin() as connection:
        await connection.execute(signing_keys.insert().values(row))


async def test_keys_come_back_whole_and_newest_first(store: Store, engine: AsyncEngine) -> None:
    older, newer = key("b", created_at=1), key("a", created_at=2)
    await store.add_first_signing_key(older)
    await add_by_hand(engine, newer)

    assert await store.signing_keys() == (newer, older)


async def test_a_first_key_is_not_added_where_there_is_one(store: Store) -> None:
    await store.add_first_signing_key(key("a"))
    await store.add_first_signing_key(key("b"))

    assert [stored.kid for stored in await store.signing_keys()] == ["a"]


async def test_processes_that_start_at_once_end_up_with_one_key(database_url: str) -> None:
    engines: list[AsyncEngine] = [open_database(database_url) for _ in range(4)]
    try:
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            for number, engine in enumerate(engines):
                tasks.create_task(Store(engine).add_first_signing_key(key(f"k{number}")))
        assert len(await Store(engines[0]).signing_keys()) == 1
    finally:
        for engine in engines:
            await engine.dispose()


def test_a_private_key_is_not_shown_by_repr() -> None:
    assert "private" not in repr(key("a")).replace("private_pem", "")
