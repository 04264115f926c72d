"""Everything out of the store again: in order, of one moment, page by page."""

from contextlib import aclosing

import pytest

from authsvc.model import Entity, Local, Organization, Role, Status, User
from authsvc.store import Store
from tests.contract.store.entities import WORLD
from tests.contract.store.stored import put, stored


async def test_what_was_put_comes_out_whole_each_kind_before_what_builds_on_it(
    store: Store,
) -> None:
    await put(store, *WORLD)

    entities = await stored(store)

    kinds = (Organization, Local, Role, User)
    assert sorted(entities, key=lambda entity: (kinds.index(type(entity)), entity.id)) == entities
    assert set(entities) == set(WORLD)


async def test_an_empty_store_exports_nothing(store: Store) -> None:
    assert await stored(store) == []


async def test_ids_are_ordered_by_their_bytes_whatever_the_database(store: Store) -> None:
    ids = ["Z", "a", "é", "~", "B", "10", "9", "ﬀ", "😀"]
    await put(store, *(Organization(id=each, name="O") for each in ids))

    assert [entity.id for entity in await stored(store)] == sorted(ids, key=str.encode)


@pytest.mark.parametrize("count", [999, 1_000, 1_001, 2_000])
async def test_no_entity_is_lost_or_doubled_between_pages(store: Store, count: int) -> None:
    world: list[Entity] = [
        Organization(id="o", name="O"),
        Local(id="l", organization_id="o", name="L", status=Status.INACTIVE),
    ]
    world += [
        User(
            id=f"u{i}",
            organization_id="o",
            email=f"u{i}@o",
            locals=frozenset({"l"} if i % 2 else ()),
        )
        for i in range(count)
    ]
    await put(store, *world)

    entities = await stored(store)

    assert len(entities) == len(world)
    assert set(entities) == set(world)


async def test_an_export_is_of_one_moment_and_does_not_see_later_writes(store: Store) -> None:
    await put(store, *WORLD)

    async with aclosing(store.export()) as entities:
        seen = [await anext(entities)]
        await put(store, Role(id="later", organization_id="acme", name="Later"))
        seen += [entity async for entity in entities]

    assert set(seen) == set(WORLD)


async def test_an_export_left_early_gives_its_connection_back(store: Store) -> None:
    await put(store, *WORLD)

    for _ in range(20):  # more than the pool holds
        async with aclosing(store.export()) as entities:
            await anext(entities)

    assert not await store.is_empty()
