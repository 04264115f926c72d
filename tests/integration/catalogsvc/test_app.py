"""The whole service over real sockets: how it starts, answers, is seen from outside, and stops."""

import asyncio
import socket
from pathlib import Path

import pytest

from catalogsvc.app import create_service
from svckit.address import Address
from svckit.service import StartError
from tests.integration.catalogsvc.conftest import Catalog
from tests.integration.catalogsvc.fake_auth import FakeAuth
from tests.processes import free_port

BOUND_S = 5.0
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


async def test_who_is_let_in_sees_the_products_and_where_the_decision_came_from(
    catalog: Catalog,
) -> None:
    await catalog.start()

    async with catalog.products("ana") as first:
        names = [product["name"] for product in (await first.json())["products"]]
    async with catalog.products("ana") as second:
        pass

    assert names == ["Cortado", "Croissant", "Espresso"]
    assert (first.status, first.headers["x-auth-source"]) == (200, "GRPC")
    assert (second.status, second.headers["x-auth-source"]) == (200, "CACHE")


@pytest.mark.parametrize(
    ("user", "local_id", "status", "detail"),
    [
        ("stranger", "centro", 401, "bad signature"),
        ("nobody", "centro", 403, "missing permission catalog:read"),
        ("ana", "norte", 403, "NOT_ASSIGNED"),
    ],
)
async def test_who_is_not_let_in_is_told_why(
    catalog: Catalog, user: str, local_id: str, status: int, detail: str
) -> None:
    await catalog.start()

    async with catalog.products(user, local_id) as answer:
        assert (answer.status, (await answer.json())["detail"]) == (status, detail)


async def test_without_auth_calls_are_503_and_the_service_stays_ready(
    catalog: Catalog, environ: dict[str, str]
) -> None:
    environ["CATALOG_AUTH_GRPC_TARGETS"] = f"127.0.0.1:{free_port()}"
    await catalog.start()

    async with catalog.products("ana") as answer:
        assert answer.status == 503
        assert "retry-after" in answer.headers
        assert "denied" not in (await answer.text()).lower()
    async with catalog.http.get(f"{catalog.url}/readyz") as ready:
        assert ready.status == 200


async def test_the_numbers_of_the_client_are_among_the_metrics(catalog: Catalog) -> None:
    await catalog.start()
    for _ in range(3):
        async with catalog.products("ana"):
            pass

    async with catalog.http.get(f"{catalog.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()

    assert "authz_cache_hits_total 2.0" in lines
    assert "authz_cache_misses_total 1.0" in lines
    assert any(line.startswith("authz_breaker_state{") for line in lines)
    route = "/api/v1/locals/{local_id}/products"
    assert any(line.startswith("http_requests_total{") and route in line for line in lines)
    assert not any("ana" in line or "centro" in line for line in lines)


async def test_the_trace_of_the_caller_goes_on_to_auth(catalog: Catalog, auth: FakeAuth) -> None:
    await catalog.start()

    async with catalog.products("ana", traceparent=f"00-{TRACE_ID}-b7ad6b7169203331-01"):
        pass

    assert [traceparent.split("-")[1] for traceparent in auth.traceparents] == [TRACE_ID] * 2


async def test_the_contract_names_every_endpoint(catalog: Catalog) -> None:
    await catalog.start()

    async with catalog.http.get(f"{catalog.url}/openapi.json") as answer:
        paths = (await answer.json())["paths"]

    assert {(path, method) for path, methods in paths.items() for method in methods} == {
        ("/api/v1/locals/{local_id}/products", "get"),
        ("/api/v1/locals/{local_id}/products", "post"),
        ("/api/v1/locals/{local_id}/products/{product_id}", "get"),
        ("/api/v1/locals/{local_id}/products/{product_id}", "patch"),
        ("/api/v1/locals/{local_id}/products/{product_id}", "delete"),
    }


async def test_a_call_under_way_at_the_stop_is_still_answered(
    catalog: Catalog, auth: FakeAuth
) -> None:
    await catalog.start()
    auth.may_answer.clear()

    async def ask() -> int:
        async with catalog.products("ana") as answer:
            return answer.status

    async with asyncio.timeout(BOUND_S), asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(ask())
        await auth.asked.wait()
        stopping = tasks.create_task(catalog.stop())
        await _wait_until_refused(catalog)
        auth.may_answer.set()

    assert asking.result() == 200
    assert stopping.done()


async def test_what_was_changed_is_there_after_a_restart(catalog: Catalog) -> None:
    await catalog.start()
    headers = {"authorization": "Bearer luis"}
    product = {"name": "Té", "sku": "T-001", "price_minor": 120, "currency": "EUR"}
    async with catalog.http.post(
        f"{catalog.url}/api/v1/locals/centro/products", headers=headers, json=product
    ) as made:
        location = made.headers["location"]
    await catalog.stop()
    await catalog.start()

    async with catalog.http.get(catalog.url + location, headers=headers) as found:
        assert product.items() <= (await found.json()).items()
    async with catalog.products("ana") as listed:
        assert len((await listed.json())["products"]) == 4


async def test_a_taken_port_stops_the_start_by_the_name_of_its_setting(catalog: Catalog) -> None:
    await catalog.start()

    with pytest.raises(StartError, match="CATALOG_HTTP_BIND"):
        async with create_service(catalog.environ).serve():
            pass


async def test_an_unusable_database_stops_the_start_and_frees_the_port(
    environ: dict[str, str], tmp_path: Path
) -> None:
    environ["CATALOG_DATABASE_URL"] = f"sqlite+aiosqlite:///{tmp_path}"

    with pytest.raises(StartError):
        async with create_service(environ).serve():
            pass

    with socket.socket() as again:
        address = Address.parse(environ["CATALOG_HTTP_BIND"])
        again.bind((address.host, address.port))


async def _wait_until_refused(catalog: Catalog) -> None:
    """New connections are refused; `asyncio.timeout` around it is the bound."""
    address = Address.parse(catalog.environ["CATALOG_HTTP_BIND"])
    while True:
        try:
            _, writer = await asyncio.open_connection(address.host, address.port)
        except OSError:
            return
        writer.close()
        await asyncio.sleep(0.01)
