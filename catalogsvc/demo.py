"""The demo products, for the locals of the demo data of Auth."""

from contextlib import suppress

from catalogsvc.products import Product
from catalogsvc.store import ProductStore
from svckit.errors import Conflict

__all__ = ["DEMO_PRODUCTS", "load_demo"]

# organization, local, id, name, sku, price in cents of a euro
ROWS = (
    ("demo", "centro", "espresso", "Espresso", "C-001", 150),
    ("demo", "centro", "cortado", "Cortado", "C-002", 190),
    ("demo", "centro", "croissant", "Croissant", "B-001", 240),
    ("demo", "norte", "espresso", "Espresso", "C-001", 140),
    ("demo", "norte", "bocadillo", "Bocadillo de jamón", "B-002", 480),
    ("other", "lejano", "te-verde", "Té verde", "T-001", 210),
)

DEMO_PRODUCTS = tuple(
    Product(
        id=product_id,
        organization_id=organization_id,
        local_id=local_id,
        name=name,
        sku=sku,
        price_minor=price_minor,
        currency="EUR",
    )
    for organization_id, local_id, product_id, name, sku, price_minor in ROWS
)


async def load_demo(store: ProductStore) -> None:
    """Into an empty store only."""
    if await store.is_empty():
        # Another process that starts at the same time may have been faster.
        with suppress(Conflict):
            await store.add(DEMO_PRODUCTS)
