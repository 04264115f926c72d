"""What Catalog answers to who was let in."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from openapi_spec_validator import validate
from sqlalchemy.exc import OperationalError

from catalogsvc.authz import Reason
from catalogsvc.cursor import cursor_after
from catalogsvc.entrance import Entrance
from catalogsvc.rest_api import CatalogRest
from catalogsvc.service import CatalogService
from svckit.openapi import openapi_document
from tests.unit.catalogsvc.conftest import Catalog

NEW = {"name": "Espresso", "sku": "C-001", "price_minor": 150, "currency": "EUR"}
MADE = {"id": "id-001", "local_id": "centro", **NEW}


async def test_a_new_product_is_201_and_found_where_the_answer_says(catalog: Catalog) -> None:
    answer = await catalog.ask("POST", "centro/products", body=NEW)

    assert (answer.status, answer.json()) == (201, MADE)
    assert answer.headers["location"] == "/api/v1/locals/centro/products/id-001"
    found = await catalog.ask("GET", "centro/products/id-001", by="ana")
    assert (found.status, found.json()) == (200, MADE)


async def test_a_change_is_answered_with_the_whole_product(catalog: Catalog) -> None:
    await catalog.add()

    answer = await catalog.ask("PATCH", "centro/products/id-001", body={"price_minor": 0})

    assert (answer.status, answer.json()) == (200, {**MADE, "price_minor": 0})


async def test_a_removed_product_is_204_and_then_404(catalog: Catalog) -> None:
    await catalog.add()

    first = await catalog.ask("DELETE", "centro/products/id-001")
    second = await catalog.ask("DELETE", "centro/products/id-001")

    assert (first.status, first.body, second.status) == (204, b"", 404)


@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("PATCH", {"name": "Doppio"}), ("DELETE", None)]
)
async def test_an_unknown_product_is_404(catalog: Catalog, method: str, body: object) -> None:
    answer = await catalog.ask(method, "centro/products/unknown", body=body)

    assert (answer.status, answer.json()["detail"]) == (404, "no such product")


async def test_a_sku_that_is_taken_is_409(catalog: Catalog) -> None:
    await catalog.add()
    await catalog.add(sku="C-002")

    added = await catalog.ask("POST", "centro/products", body=NEW)
    edited = await catalog.ask("PATCH", "centro/products/id-002", body={"sku": "C-001"})

    assert (added.status, edited.status) == (409, 409)
    assert "sku" in added.json()["detail"]


async def test_a_tenant_meets_no_product_of_another_in_a_local_of_the_same_id(
    catalog: Catalog,
) -> None:
    await catalog.add()

    listed = await catalog.ask("GET", "centro/products", by="eva")
    statuses = [
        (await catalog.ask(method, "centro/products/id-001", by="eva", body=body)).status
        for method, body in (("GET", None), ("PATCH", {"name": "Stolen"}), ("DELETE", None))
    ]

    assert listed.json()["products"] == []
    assert statuses == [404, 404, 404]
    assert (await catalog.ask("GET", "centro/products/id-001")).json() == MADE


async def test_a_list_is_read_page_by_page_and_nothing_twice(catalog: Catalog) -> None:
    for number in range(5):
        await catalog.add(sku=f"C-{number}")

    pages: list[list[str]] = []
    cursor = ""
    while not pages or cursor:
        answer = await catalog.ask("GET", f"centro/products?limit=2&cursor={cursor}")
        pages.append([product["id"] for product in answer.json()["products"]])
        cursor = answer.json()["next_cursor"]

    assert pages == [["id-001", "id-002"], ["id-003", "id-004"], ["id-005"]]


async def test_a_last_page_that_is_full_has_no_next_one(catalog: Catalog) -> None:
    await catalog.add()

    answer = await catalog.ask("GET", "centro/products?limit=1")

    assert len(answer.json()["products"]) == 1
    assert answer.json()["next_cursor"] == ""


async def test_a_page_has_fifty_products_unless_asked_otherwise(catalog: Catalog) -> None:
    for number in range(51):
        await catalog.add(sku=f"C-{number}")

    assert len((await catalog.ask("GET", "centro/products")).json()["products"]) == 50
    assert len((await catalog.ask("GET", "centro/products?limit=200")).json()["products"]) == 51


async def test_a_cursor_taken_to_another_tenant_opens_nothing(catalog: Catalog) -> None:
    await catalog.add()
    await catalog.add(sku="C-002")
    cursor = (await catalog.ask("GET", "centro/products?limit=1")).json()["next_cursor"]

    answer = await catalog.ask("GET", f"centro/products?cursor={cursor}", by="eva")

    assert answer.json()["products"] == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=1&limit=2",
        "cursor=%00",
        "cursor=a.b",
        "offset=1",
        f"cursor={cursor_after('x' * 129)}",
    ],
)
async def test_a_bad_page_question_is_400(catalog: Catalog, query: str) -> None:
    assert (await catalog.ask("GET", f"centro/products?{query}")).status == 400


@pytest.mark.parametrize("path", ["%00/products", "x" * 129 + "/products", "centro/products/%FF"])
async def test_a_bad_id_in_the_path_is_400(catalog: Catalog, path: str) -> None:
    assert (await catalog.ask("GET", path)).status == 400


HOSTILE: list[Any] = [
    None,
    [],
    "name",
    {},
    {**NEW, "name": None},
    {**NEW, "name": ""},
    {**NEW, "name": "a\u0000b"},
    {**NEW, "name": ["Espresso"]},
    {**NEW, "sku": "x" * 129},
    {**NEW, "price_minor": -1},
    {**NEW, "price_minor": 10**30},
    {**NEW, "price_minor": 1.5},
    {**NEW, "price_minor": True},
    {**NEW, "price_minor": "150"},
    {**NEW, "currency": "eur"},
    {**NEW, "id": "mine"},
    {**NEW, "organization_id": "other"},
    {**NEW, "local_id": "norte"},
    {**NEW, "colour": "red"},
]


@pytest.mark.parametrize("body", HOSTILE)
async def test_a_bad_product_is_400_and_nothing_is_kept(catalog: Catalog, body: object) -> None:
    answer = await catalog.ask("POST", "centro/products", body=body, raw=b"null")

    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert await catalog.store.is_empty()


@pytest.mark.parametrize("body", HOSTILE)
async def test_a_bad_change_is_400_and_nothing_is_changed(catalog: Catalog, body: object) -> None:
    await catalog.add()

    answer = await catalog.ask("PATCH", "centro/products/id-001", body=body, raw=b"null")

    assert answer.status == 400
    assert (await catalog.ask("GET", "centro/products/id-001")).json() == MADE


@pytest.mark.parametrize(
    ("raw", "status"),
    [(b"", 400), (b"{", 400), (b'{"name":"\xff"}', 400), (b"[" * 9000, 400), (b"x" * 300_000, 413)],
)
async def test_a_body_that_is_no_json_or_too_large_is_refused(
    catalog: Catalog, raw: bytes, status: int
) -> None:
    await catalog.add()

    for method, path in (("POST", "products"), ("PATCH", "products/id-001")):
        assert (await catalog.ask(method, f"centro/{path}", raw=raw)).status == status


async def test_a_store_that_is_down_is_503_after_a_decision(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise OperationalError("SELECT secret", {}, Exception("disk gone"))

    monkeypatch.setattr("sqlalchemy.ext.asyncio.AsyncConnection.execute", fail)

    for method, path, body in (
        ("GET", "products", None),
        ("POST", "products", NEW),
        ("GET", "products/id-001", None),
        ("PATCH", "products/id-001", {"name": "Doppio"}),
        ("DELETE", "products/id-001", None),
    ):
        answer = await catalog.ask(method, f"centro/{path}", body=body)

        assert answer.status == 503
        assert "retry-after" in answer.headers
        assert answer.headers["x-auth-source"] == "GRPC"
        assert b"secret" not in answer.body


async def test_a_store_that_hangs_is_504_in_time(
    open_catalog: Callable[..., Catalog], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("catalogsvc.store.ProductStore.page", hang)

    answer = await open_catalog(timeout_s=0.1).ask("GET", "centro/products")

    assert answer.status == 504
    assert answer.headers["x-auth-source"] == "GRPC"


async def test_a_bug_is_500_with_an_id_and_none_of_its_text(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("catalogsvc.store.ProductStore.page", break_down)

    answer = await catalog.ask("GET", "centro/products")

    assert (answer.status, answer.json()["detail"]) == (500, "internal error bug-1")
    assert answer.headers["x-auth-source"] == "GRPC"
    assert [type(bug) for bug in catalog.bugs] == [ZeroDivisionError]


@pytest.mark.parametrize("reason", [Reason.ALLOWED, Reason.NOT_ASSIGNED])
async def test_an_unknown_method_is_405_whoever_asks(catalog: Catalog, reason: Reason) -> None:
    catalog.doorman.decides("luis", "centro", reason)

    assert (await catalog.ask("PUT", "centro/products/id-001", body=NEW)).status == 405


def test_the_contract_of_all_endpoints_is_a_valid_openapi_document(
    open_catalog: Callable[..., Catalog],
) -> None:
    catalog = open_catalog()
    service = CatalogService(catalog.store, new_id=lambda: "id")
    endpoints = CatalogRest(service, Entrance(catalog.doorman, timeout_s=1.0)).endpoints()
    document = openapi_document(endpoints, title="Catalog", version="1")

    validate(document)
    assert all(endpoint.needs_token for endpoint in endpoints)
