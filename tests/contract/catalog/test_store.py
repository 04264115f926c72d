"""What the product store promises, on SQLite and on PostgreSQL."""

import asyncio
from dataclasses import replace

import pytest

from catalogsvc.demo import DEMO_PRODUCTS, load_demo
from catalogsvc.products import LocalKey, Product, ProductChange
from catalogsvc.store import ProductStore
from svckit.errors import Conflict

HERE = LocalKey(organization_id="demo", local_id="centro")
# The same local id in another organization, and another local of the same organization.
ELSEWHERE = [
    LocalKey(organization_id="other", local_id="centro"),
    LocalKey(organization_id="demo", local_id="norte"),
]
ESPRESSO = Product(
    id="espresso",
    organization_id="demo",
    local_id="centro",
    name="Espresso",
    sku="C-001",
    price_minor=150,
    currency="EUR",
)
CORTADO = replace(ESPRESSO, id="cortado", name="Cortado", sku="C-002")


async def test_a_product_reads_back_as_it_was_added(store: ProductStore) -> None:
    await store.add([ESPRESSO])

    assert await store.product(HERE, "espresso") == ESPRESSO


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE products; --", "%", "_", "a/b", "../x", "Ñ 日本 😀"]
)
async def test_any_text_is_kept_as_it_is(store: ProductStore, text: str) -> None:
    odd = replace(ESPRESSO, id=text, local_id=text, name=text, sku=text)
    local = LocalKey(organization_id="demo", local_id=text)
    await store.add([odd])

    assert await store.product(local, text) == odd
    assert await store.page(local, after="", limit=10) == (odd,)


async def test_the_largest_price_is_kept(store: ProductStore) -> None:
    dear = replace(ESPRESSO, price_minor=10**12)
    await store.add([dear])

    assert await store.product(HERE, "espresso") == dear


async def test_an_unknown_product_is_none_whatever_is_asked_of_it(store: ProductStore) -> None:
    assert await store.product(HERE, "espresso") is None
    assert await store.edit(HERE, "espresso", ProductChange(name="Doppio")) is None
    assert await store.remove(HERE, "espresso") is None


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
async def test_no_one_reaches_a_product_from_another_local(
    store: ProductStore, elsewhere: LocalKey
) -> None:
    await store.add([ESPRESSO])

    assert await store.product(elsewhere, "espresso") is None
    assert await store.page(elsewhere, after="", limit=10) == ()
    assert await store.edit(elsewhere, "espresso", ProductChange(name="Stolen")) is None
    assert await store.remove(elsewhere, "espresso") is None
    assert await store.product(HERE, "espresso") == ESPRESSO


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
async def test_two_locals_may_use_the_same_ids_and_skus(
    store: ProductStore, elsewhere: LocalKey
) -> None:
    theirs = replace(
        ESPRESSO, organization_id=elsewhere.organization_id, local_id=elsewhere.local_id
    )
    await store.add([ESPRESSO, theirs])
    await store.edit(elsewhere, "espresso", ProductChange(price_minor=999))

    assert await store.product(HERE, "espresso") == ESPRESSO


async def test_an_edit_changes_the_given_fields_and_no_other(store: ProductStore) -> None:
    await store.add([ESPRESSO, CORTADO])

    edited = await store.edit(HERE, "espresso", ProductChange(name="Doppio", price_minor=0))

    assert edited == replace(ESPRESSO, name="Doppio", price_minor=0)
    assert await store.product(HERE, "espresso") == edited
    assert await store.product(HERE, "cortado") == CORTADO


async def test_a_removed_product_is_gone_and_its_sku_is_free(store: ProductStore) -> None:
    await store.add([ESPRESSO])

    assert await store.remove(HERE, "espresso") == ESPRESSO

    assert await store.product(HERE, "espresso") is None
    await store.add([replace(ESPRESSO, id="another")])


async def test_a_sku_that_is_taken_is_a_conflict_and_changes_nothing(store: ProductStore) -> None:
    await store.add([ESPRESSO, CORTADO])
    twin = replace(ESPRESSO, id="twin")

    with pytest.raises(Conflict, match="sku"):
        await store.add([replace(twin, id="free", sku="C-009"), twin])
    with pytest.raises(Conflict, match="sku"):
        await store.edit(HERE, "cortado", ProductChange(sku="C-001", name="Changed"))

    assert await store.page(HERE, after="", limit=10) == (CORTADO, ESPRESSO)


async def test_of_many_who_take_one_sku_at_once_one_gets_it(store: ProductStore) -> None:
    async def take(number: int) -> bool:
        try:
            await store.add([replace(ESPRESSO, id=f"id-{number}")])
        except Conflict:
            return False
        return True

    taken = await asyncio.gather(*(take(number) for number in range(8)))

    assert sum(taken) == 1


async def test_edits_of_different_fields_at_once_are_both_kept(store: ProductStore) -> None:
    await store.add([ESPRESSO])

    await asyncio.gather(
        store.edit(HERE, "espresso", ProductChange(name="Doppio")),
        store.edit(HERE, "espresso", ProductChange(price_minor=300)),
    )

    assert await store.product(HERE, "espresso") == replace(
        ESPRESSO, name="Doppio", price_minor=300
    )


async def test_pages_follow_each_other_in_one_order_on_every_database(store: ProductStore) -> None:
    # Bytewise: upper case before lower, and beyond ASCII last.
    ids = ["B", "a", "b", "é", "日"]
    await store.add([replace(ESPRESSO, id=id_, sku=f"sku {id_}") for id_ in reversed(ids)])

    first = await store.page(HERE, after="", limit=2)
    second = await store.page(HERE, after="a", limit=2)
    last = await store.page(HERE, after="é", limit=2)

    assert [product.id for product in (*first, *second, *last)] == ids


async def test_a_page_goes_on_where_a_product_has_been_removed(store: ProductStore) -> None:
    await store.add([CORTADO, ESPRESSO])
    await store.remove(HERE, "cortado")

    assert await store.page(HERE, after="cortado", limit=10) == (ESPRESSO,)


async def test_the_demo_is_loaded_into_an_empty_store_only(store: ProductStore) -> None:
    await load_demo(store)
    await store.edit(HERE, "espresso", ProductChange(price_minor=1))
    await load_demo(store)

    edited = await store.product(HERE, "espresso")
    assert edited is not None
    assert edited.price_minor == 1
    assert len(await store.page(HERE, after="", limit=10)) == sum(
        product.local_id == "centro" for product in DEMO_PRODUCTS
    )


async def test_two_processes_may_load_the_demo_at_once(store: ProductStore) -> None:
    await asyncio.gather(load_demo(store), load_demo(store))

    assert not await store.is_empty()
