"""A store that is down is Unavailable, never an empty list and never a missing product."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from catalogsvc.products import LocalKey, ProductChange
from catalogsvc.store import ProductStore
from svckit.errors import Unavailable
from tests.contract.catalog.test_store import ESPRESSO

HERE = LocalKey(organization_id="demo", local_id="centro")

ASKS: dict[str, Callable[[ProductStore], Awaitable[object]]] = {
    "page": lambda store: store.page(HERE, after="", limit=1),
    "product": lambda store: store.product(HERE, "espresso"),
    "add": lambda store: store.add([ESPRESSO]),
    "edit": lambda store: store.edit(HERE, "espresso", ProductChange(name="Doppio")),
    "remove": lambda store: store.remove(HERE, "espresso"),
    "is_empty": lambda store: store.is_empty(),
    "ping": lambda store: store.ping(),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_a_database_without_our_table_is_unavailable(
    store: ProductStore, engine: AsyncEngine, ask: Callable[[ProductStore], Awaitable[object]]
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE products"))

    with pytest.raises(Unavailable):
        await ask(store)
