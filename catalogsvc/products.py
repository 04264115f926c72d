"""Products of a local: what they are and which values they may hold. Pure."""

import re
from dataclasses import asdict, dataclass

from svckit.errors import InvalidRequest
from svckit.ids import check_id
from svckit.text import check_text

__all__ = ["Product", "NewProduct", "ProductChange", "LocalKey"]

NAME_CHARS_MAX = 200
PRICE_MINOR_MAX = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalKey:
    """One local of one organization: every look at products is through one of these."""

    organization_id: str
    local_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProduct:
    """What a caller gives for a product to be made. Raises InvalidRequest.

    `sku` is the caller's own number for it, unique within the local. `price_minor` is in minor
    units of `currency` (ISO 4217): 1250 EUR is 12.50 euros.
    """

    name: str
    sku: str
    price_minor: int
    currency: str

    def __post_init__(self) -> None:
        _check_name(self.name)
        check_id("sku", self.sku)
        _check_price(self.price_minor)
        _check_currency(self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChange:
    """New values for some fields of a product; None leaves a field. Raises InvalidRequest."""

    name: str | None = None
    sku: str | None = None
    price_minor: int | None = None
    currency: str | None = None

    def __post_init__(self) -> None:
        if not self.values():
            raise InvalidRequest("the change names no field")
        if self.name is not None:
            _check_name(self.name)
        if self.sku is not None:
            check_id("sku", self.sku)
        if self.price_minor is not None:
            _check_price(self.price_minor)
        if self.currency is not None:
            _check_currency(self.currency)

    def values(self) -> dict[str, str | int]:
        """The fields that change, and to what."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product as it is kept; `id` is made by us and unique within the local."""

    id: str
    organization_id: str
    local_id: str
    name: str
    sku: str
    price_minor: int
    currency: str


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= NAME_CHARS_MAX:
        raise InvalidRequest(f"name must have 1 to {NAME_CHARS_MAX} characters")
    check_text("name", name, bytes_max=4 * NAME_CHARS_MAX)
    if name != name.strip():
        raise InvalidRequest("name begins or ends with a blank")


def _check_price(price_minor: int) -> None:
    if not 0 <= price_minor <= PRICE_MINOR_MAX:
        raise InvalidRequest(f"price_minor must be 0 to {PRICE_MINOR_MAX}")


def _check_currency(currency: str) -> None:
    if not re.fullmatch("[A-Z]{3}", currency):
        raise InvalidRequest("currency must be three upper-case letters (ISO 4217)")
