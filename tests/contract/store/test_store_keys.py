"""Signing keys at rest: changed by one at a time, told to the audit log and the feed."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.audit import OPERATOR, SYSTEM
from authsvc.store import KeyChange, Store, StoredKey
from authsvc.store.schema import audit
from svckit.database import open_database
from svckit.errors import NotFound
from tests.contract.store.entities import WORLD
from tests.contract.store.stored import here, put


def key(kid: str, *, created_at: int = 1_700_000_000) -> StoredKey:
    return StoredKey(
        kid=kid,
        algorithm="ES256",
        private_key=f"private {kid}",
        public_key=f"public {kid}",
        created_at=created_at,
        signs_from=created_at + 600,
        token_ttl_s=86_400,
    )


def adding(new: StoredKey) -> KeyChange:
    return lambda keys: (*keys, new)


def without(kid: str) -> KeyChange:
    return lambda keys: tuple(key for key in keys if key.kid != kid)


async def audited(engine: AsyncEngine) -> list[tuple[object, ...]]:
    columns = (
        audit.c.actor_kind, audit.c.action, audit.c.target, audit.c.before, audit.c.after,
        audit.c.revision,
    )  # fmt: skip
    async with engine.connect() as connection:
        rows = (await connection.execute(select(*columns).order_by(audit.c.id))).all()
    return [tuple(row) for row in rows]


async def test_keys_come_back_whole_and_newest_first(store: Store) -> None:
    older, newer = key("b", created_at=1), key("a", created_at=2)

    await store.change_signing_keys(adding(older), by=SYSTEM)
    await store.change_signing_keys(adding(newer), by=SYSTEM)

    assert await store.signing_keys() == (newer, older)


async def test_one_change_adds_removes_and_alters_keys(store: Store) -> None:
    for kid in ("a", "b"):
        await store.change_signing_keys(adding(key(kid)), by=SYSTEM)
    altered = replace(key("a"), private_key="sealed", signs_from=7, token_ttl_s=9)

    await store.change_signing_keys(lambda _: (altered, key("c")), by=SYSTEM)

    assert set(await store.signing_keys()) == {altered, key("c")}


async def test_a_change_that_fails_changes_nothing(store: Store, engine: AsyncEngine) -> None:
    await store.change_signing_keys(adding(key("a")), by=SYSTEM)
    start, rows = await here(store), await audited(engine)

    def fail(keys: tuple[StoredKey, ...]) -> tuple[StoredKey, ...]:
        raise NotFound("no such key")

    with pytest.raises(NotFound):
        await store.withdraw_signing_keys(fail, by=OPERATOR)

    assert await store.signing_keys() == (key("a"),)
    assert await here(store) == start
    assert await audited(engine) == rows


async def test_processes_that_start_at_once_end_up_with_one_key(database_url: str) -> None:
    engines: list[AsyncEngine] = [open_database(database_url) for _ in range(4)]

    def first(new: StoredKey) -> KeyChange:
        return lambda keys: keys or (new,)

    try:
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            for number, engine in enumerate(engines):
                change = first(key(f"k{number}"))
                tasks.create_task(Store(engine).change_signing_keys(change, by=SYSTEM))
        assert len(await Store(engines[0]).signing_keys()) == 1
    finally:
        for engine in engines:
            await engine.dispose()


async def test_each_key_that_comes_or_goes_is_audited_without_what_is_in_it(
    store: Store, engine: AsyncEngine
) -> None:
    await store.change_signing_keys(adding(key("a")), by=SYSTEM)
    await store.change_signing_keys(adding(key("b")), by=OPERATOR)
    await store.change_signing_keys(lambda keys: keys, by=SYSTEM)
    await store.change_signing_keys(without("a"), by=SYSTEM)
    await store.withdraw_signing_keys(lambda _: (key("c"),), by=OPERATOR)

    said = '{"algorithm":"ES256","signs_from":1700000600}'
    assert await audited(engine) == [
        ("system", "key.make", "key:a", None, said, None),
        ("operator", "key.rotate", "key:b", None, said, None),
        ("system", "key.withdraw", "key:a", said, None, None),
        ("operator", "key.withdraw", "key:b", said, None, 2),
        ("operator", "key.rotate", "key:c", None, said, 2),
    ]


async def test_a_withdrawal_is_a_gap_for_everyone_who_knew_anything_before(store: Store) -> None:
    await store.change_signing_keys(adding(key("a")), by=SYSTEM)
    await put(store, *WORLD)
    start = await here(store)

    await store.withdraw_signing_keys(lambda _: (), by=OPERATOR)

    for after in (1, start.revision):
        page = await store.read_changes(database_id=start.database_id, after=after)
        assert page.is_gap
        # Nothing of before is told, so nothing that was computed before may be kept.
        assert (page.after, page.revision, page.changes) == (
            start.revision + 1, start.revision + 1, (),
        )  # fmt: skip
    page = await store.read_changes(database_id=start.database_id, after=start.revision + 1)
    assert not page.is_gap


async def test_the_feed_goes_on_after_a_withdrawal_and_its_trimming(
    store: Store, engine: AsyncEngine
) -> None:
    await put(store, *WORLD)
    start = await here(store)
    await store.withdraw_signing_keys(lambda keys: keys, by=OPERATOR)
    at = await here(store)
    await store.revoke("ana", "centro", by=OPERATOR)

    await store.trim_changes(wall_now=4_000_000_000.0)

    page = await store.read_changes(database_id=at.database_id, after=at.revision)
    assert [change.user_id for change in page.changes] == ["ana"]
    assert (await store.read_changes(database_id=at.database_id, after=start.revision)).is_gap
    async with engine.connect() as connection:
        trimmed_to = await connection.scalar(text("SELECT trimmed_to FROM feed"))
    assert trimmed_to >= at.revision


async def test_a_withdrawal_is_signalled(store: Store) -> None:
    heard = asyncio.Event()
    async with store.signals(heard.set):
        await asyncio.sleep(0)
        await store.withdraw_signing_keys(lambda keys: keys, by=OPERATOR)
        async with asyncio.timeout(5):
            await heard.wait()


def test_a_private_key_is_not_shown_by_repr() -> None:
    assert "private" not in repr(key("a")).replace("private_key", "")
