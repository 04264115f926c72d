"""Where products are kept: one table, and no way to a row but through its local.

Organization and local lead its keys, so one tenant's request cannot reach another's product.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Executable,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from catalogsvc.products import LocalKey, Product, ProductChange
from svckit.columns import KEY
from svckit.database import reading, writing
from svckit.errors import Conflict

__all__ = ["ProductStore", "metadata"]

WRITERS = "catalog products"

metadata = MetaData()

products = Table(
    "products",
    metadata,
    Column("organization_id", KEY, primary_key=True),
    Column("local_id", KEY, primary_key=True),
    Column("id", KEY, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sku", KEY, nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    UniqueConstraint("organization_id", "local_id", "sku", name="uq_products_sku"),
    sqlite_with_rowid=False,
)


class ProductStore:
    """All methods raise Unavailable when the database does not answer. The engine stays yours."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, local: LocalKey, *, after: str, limit: int) -> tuple[Product, ...]:
        """At most `limit` products in the order of their ids, beginning behind `after`."""
        query = select(products).where(_in(local), products.c.id > after)
        async with reading(self._engine) as connection:
            rows = await connection.execute(query.order_by(products.c.id).limit(limit))
            return tuple(Product(**row) for row in rows.mappings())

    async def product(self, local: LocalKey, product_id: str) -> Product | None:
        async with reading(self._engine) as connection:
            return await _one(connection, select(products).where(_is(local, product_id)))

    async def add(self, new: Sequence[Product]) -> None:
        """All or none. Raises Conflict when a local has one of the skus already."""
        async with writing(self._engine, lock=WRITERS) as connection:
            with _taken_sku():
                await connection.execute(insert(products), [asdict(product) for product in new])

    async def edit(self, local: LocalKey, product_id: str, change: ProductChange) -> Product | None:
        """As it is now; None when there is no such product. Raises Conflict, as `add` does."""
        edited = update(products).where(_is(local, product_id)).values(change.values())
        async with writing(self._engine, lock=WRITERS) as connection:
            with _taken_sku():
                return await _one(connection, edited.returning(products))

    async def remove(self, local: LocalKey, product_id: str) -> Product | None:
        """As it was; None when there is no such product."""
        removed = delete(products).where(_is(local, product_id)).returning(products)
        async with writing(self._engine, lock=WRITERS) as connection:
            return await _one(connection, removed)

    async def is_empty(self) -> bool:
        async with reading(self._engine) as connection:
            return (await connection.execute(select(products.c.id).limit(1))).first() is None

    async def ping(self) -> None:
        """Returns when the database answers and has our table."""
        await self.is_empty()


def _in(local: LocalKey) -> ColumnElement[bool]:
    return and_(
        products.c.organization_id == local.organization_id, products.c.local_id == local.local_id
    )


def _is(local: LocalKey, product_id: str) -> ColumnElement[bool]:
    return and_(_in(local), products.c.id == product_id)


async def _one(connection: AsyncConnection, statement: Executable) -> Product | None:
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else Product(**row)


@contextmanager
def _taken_sku() -> Iterator[None]:
    try:
        yield
    except IntegrityError as exc:
        raise Conflict("this local has a product with this sku already") from exc
