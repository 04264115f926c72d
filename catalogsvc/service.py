"""What Catalog does with products, for those who were let in: between REST and the store."""

from collections.abc import Callable
from dataclasses import dataclass

from catalogsvc.cursor import cursor_after, id_before
from catalogsvc.products import LocalKey, NewProduct, Product, ProductChange
from catalogsvc.store import ProductStore
from svckit.errors import NotFound

__all__ = ["CatalogService", "Page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list; `next_cursor` is empty on the last one."""

    products: tuple[Product, ...]
    next_cursor: str


class CatalogService:
    """All methods raise Unavailable. `new_id` makes ids that were never used before."""

    def __init__(self, store: ProductStore, *, new_id: Callable[[], str]) -> None:
        self._store = store
        self._new_id = new_id

    async def page(self, local: LocalKey, *, cursor: str, limit: int) -> Page:
        """The order never changes, so who follows the cursors meets no product twice.

        An empty `cursor` begins at the beginning. Raises InvalidRequest for one that is not ours.
        """
        after = id_before(cursor) if cursor else ""
        # One more than asked for: it tells whether there is a next page.
        found = await self._store.page(local, after=after, limit=limit + 1)
        products = found[:limit]
        next_cursor = cursor_after(products[-1].id) if len(found) > limit else ""
        return Page(products=products, next_cursor=next_cursor)

    async def product(self, local: LocalKey, product_id: str) -> Product:
        """Raises NotFound."""
        return _found(await self._store.product(local, product_id))

    async def create(self, local: LocalKey, new: NewProduct) -> Product:
        """Raises Conflict when the local has its sku already."""
        product = Product(
            id=self._new_id(),
            organization_id=local.organization_id,
            local_id=local.local_id,
            name=new.name,
            sku=new.sku,
            price_minor=new.price_minor,
            currency=new.currency,
        )
        await self._store.add([product])
        return product

    async def edit(self, local: LocalKey, product_id: str, change: ProductChange) -> Product:
        """Raises NotFound, or Conflict when the local has the new sku already."""
        return _found(await self._store.edit(local, product_id, change))

    async def remove(self, local: LocalKey, product_id: str) -> None:
        """Raises NotFound."""
        _found(await self._store.remove(local, product_id))


def _found(product: Product | None) -> Product:
    if product is None:
        raise NotFound("no such product")
    return product
