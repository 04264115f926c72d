"""Laws of products: any value is taken or refused, the same for a new product and for a change."""

import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from catalogsvc.products import NAME_CHARS_MAX, PRICE_MINOR_MAX, NewProduct, ProductChange
from svckit.errors import InvalidRequest
from svckit.ids import ID_BYTES_MAX

GOOD: dict[str, Any] = {"name": "Café", "sku": "C-001", "price_minor": 150, "currency": "EUR"}

odd = st.text(st.characters(categories=["Cc", "Cs", "Zs", "L"]), max_size=4)
texts = st.just("Café") | odd | st.text(max_size=210)
fields = st.fixed_dictionaries(
    {},
    optional={
        "name": texts,
        "sku": texts,
        "price_minor": st.integers(),
        "currency": st.text("AEUR\n", max_size=4),
    },
)


def is_accepted(kind: type, values: dict[str, Any]) -> bool:
    try:
        kind(**values)
    except InvalidRequest:
        return False
    return True


def is_storable(text: str) -> bool:
    return bool(text) and not any(unicodedata.category(char) in ("Cc", "Cs") for char in text)


@given(fields)
def test_a_change_takes_exactly_the_values_that_a_new_product_takes(given_: dict[str, Any]) -> None:
    assert is_accepted(ProductChange, given_) == (
        bool(given_) and is_accepted(NewProduct, {**GOOD, **given_})
    )


@given(fields)
def test_any_product_is_storable_or_refused(given_: dict[str, Any]) -> None:
    try:
        product = NewProduct(**{**GOOD, **given_})
    except InvalidRequest:
        return

    assert is_storable(product.name)
    assert len(product.name) <= NAME_CHARS_MAX
    assert product.name == product.name.strip()
    assert is_storable(product.sku)
    assert len(product.sku.encode()) <= ID_BYTES_MAX
    assert 0 <= product.price_minor <= PRICE_MINOR_MAX
    assert len(product.currency) == 3
    assert product.currency.isalpha()
    assert product.currency.isupper()
