"""Catalog over REST. Every endpoint lets the request in first, and reads the rest of it then."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from catalogsvc.entrance import Entrance, Permission
from catalogsvc.products import LocalKey, NewProduct, Product, ProductChange
from catalogsvc.service import CatalogService
from svckit.errors import (
    Conflict,
    DeadlineExceeded,
    Forbidden,
    InvalidRequest,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from svckit.rest import Endpoint, json_answer, path_id, read_body, read_query

__all__ = ["CatalogRest"]

PRODUCTS = "/api/v1/locals/{local_id}/products"
PRODUCT = PRODUCTS + "/{product_id}"
# What each endpoint may answer, since each lets the request in first.
FAILURES = (InvalidRequest, Unauthenticated, Forbidden, Unavailable, DeadlineExceeded)


class PageQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: str = ""


class ProductQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    sku: str
    price_minor: int
    currency: str


class ChangeQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str | UnsetType = UNSET
    sku: str | UnsetType = UNSET
    price_minor: int | UnsetType = UNSET
    currency: str | UnsetType = UNSET


class ProductAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`price_minor` is in minor units of `currency` (ISO 4217)."""

    id: str
    local_id: str
    name: str
    sku: str
    price_minor: int
    currency: str


class PageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """`next_cursor` is empty on the last page."""

    products: tuple[ProductAnswer, ...]
    next_cursor: str


class CatalogRest:
    def __init__(self, service: CatalogService, entrance: Entrance) -> None:
        self._service = service
        self._entrance = entrance

    def endpoints(self) -> Sequence[Endpoint]:
        return (*self._endpoints_of_the_list(), *self._endpoints_of_one())

    def _endpoints_of_the_list(self) -> Sequence[Endpoint]:
        return (
            Endpoint(
                method="GET",
                path=PRODUCTS,
                summary="The products of this local, page by page",
                answer=self.page,
                query=PageQuestion,
                result=PageAnswer,
                failures=FAILURES,
                needs_token=True,
            ),
            Endpoint(
                method="POST",
                path=PRODUCTS,
                summary="Add a product to this local",
                answer=self.create,
                body=ProductQuestion,
                result=ProductAnswer,
                status=201,
                failures=(*FAILURES, Conflict, TooLarge),
                needs_token=True,
            ),
        )

    def _endpoints_of_one(self) -> Sequence[Endpoint]:
        return (
            Endpoint(
                method="GET",
                path=PRODUCT,
                summary="One product of this local",
                answer=self.product,
                result=ProductAnswer,
                failures=(*FAILURES, NotFound),
                needs_token=True,
            ),
            Endpoint(
                method="PATCH",
                path=PRODUCT,
                summary="Change some fields of a product, at least one",
                answer=self.edit,
                body=ChangeQuestion,
                result=ProductAnswer,
                failures=(*FAILURES, NotFound, Conflict, TooLarge),
                needs_token=True,
            ),
            Endpoint(
                method="DELETE",
                path=PRODUCT,
                summary="Remove a product from this local",
                answer=self.remove,
                status=204,
                failures=(*FAILURES, NotFound),
                needs_token=True,
            ),
        )

    async def page(self, request: Request) -> Response:
        local = await self._entrance.admit(request, Permission.READ)
        question = read_query(request, PageQuestion)
        page = await self._service.page(local, cursor=question.cursor, limit=question.limit)
        products = tuple(_answer(product) for product in page.products)
        return json_answer(PageAnswer(products=products, next_cursor=page.next_cursor))

    async def create(self, request: Request) -> Response:
        local = await self._entrance.admit(request, Permission.CREATE)
        question = await read_body(request, ProductQuestion)
        product = await self._service.create(local, NewProduct(**msgspec.structs.asdict(question)))
        headers = {"location": _location(local, product.id)}
        return json_answer(_answer(product), status=201, headers=headers)

    async def product(self, request: Request) -> Response:
        local = await self._entrance.admit(request, Permission.READ)
        product = await self._service.product(local, path_id(request, "product_id"))
        return json_answer(_answer(product))

    async def edit(self, request: Request) -> Response:
        local = await self._entrance.admit(request, Permission.EDIT)
        product_id = path_id(request, "product_id")
        change = _change(await read_body(request, ChangeQuestion))
        return json_answer(_answer(await self._service.edit(local, product_id, change)))

    async def remove(self, request: Request) -> Response:
        local = await self._entrance.admit(request, Permission.DELETE)
        await self._service.remove(local, path_id(request, "product_id"))
        return Response(status_code=204)


def _change(question: ChangeQuestion) -> ProductChange:
    given = msgspec.structs.asdict(question)
    return ProductChange(**{name: value for name, value in given.items() if value is not UNSET})


def _answer(product: Product) -> ProductAnswer:
    return msgspec.convert(product, ProductAnswer, from_attributes=True)


def _location(local: LocalKey, product_id: str) -> str:
    return PRODUCT.format(
        local_id=quote(local.local_id, safe=""), product_id=quote(product_id, safe="")
    )
