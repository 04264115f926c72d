"""Which values a product may hold."""

from dataclasses import asdict
from typing import Any

import pytest

from catalogsvc.products import NewProduct, ProductChange
from svckit.errors import InvalidRequest

GOOD: dict[str, Any] = {"name": "Café", "sku": "C-001", "price_minor": 150, "currency": "EUR"}

ACCEPTED = [
    ("name", "x"),
    ("name", "ñ" * 200),
    ("name", "Té verde 日本 😀"),
    ("sku", "a/b %&?#"),
    ("price_minor", 0),
    ("price_minor", 10**12),
    ("currency", "JPY"),
]
REFUSED = [
    ("name", ""),
    ("name", " "),
    ("name", " leading"),
    ("name", "trailing\u00a0"),
    ("name", "x" * 201),
    ("name", "a\x00b"),
    ("name", "a\nb"),
    ("name", "a\x7fb"),
    ("name", "a\x85b"),
    ("name", "\ud800"),
    ("sku", ""),
    ("sku", "x" * 129),
    ("sku", "a\nb"),
    ("sku", "\ud800"),
    ("price_minor", -1),
    ("price_minor", 10**12 + 1),
    ("price_minor", 10**400),
    ("currency", ""),
    ("currency", "eur"),
    ("currency", "EU"),
    ("currency", "EURO"),
    ("currency", "EUR\n"),
    ("currency", "ÉUR"),
]


@pytest.mark.parametrize(("field", "value"), ACCEPTED)
def test_a_good_value_is_taken_for_a_new_product_and_for_a_change(field: str, value: Any) -> None:
    assert asdict(NewProduct(**{**GOOD, field: value}))[field] == value
    assert ProductChange(**{field: value}).values() == {field: value}


@pytest.mark.parametrize(("field", "value"), REFUSED)
def test_a_bad_value_is_refused_by_its_name_and_not_repeated(field: str, value: Any) -> None:
    for make in (
        lambda: NewProduct(**{**GOOD, field: value}),
        lambda: ProductChange(**{field: value}),
    ):
        with pytest.raises(InvalidRequest, match=field) as refusal:
            make()
        assert len(refusal.value.detail) < 80


def test_a_change_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no field"):
        ProductChange()


def test_a_change_to_zero_is_a_change() -> None:
    assert ProductChange(price_minor=0).values() == {"price_minor": 0}
