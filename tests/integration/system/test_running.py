"""Both services on one event loop, as `just run` starts them."""

import asyncio
import re
import shlex
import signal

import aiohttp
import pytest

from tests.integration.system.conftest import Place
from tests.processes import Running, authctl, run_services


def pasted(running: Running, place: Place) -> tuple[str, dict[str, str]]:
    """URL and headers of the first command that the services print."""
    command = next(line for line in running.output.splitlines() if line.startswith("curl -i"))
    words = shlex.split(command)
    name, _, value = words[words.index("-H") + 1].partition(": ")
    assert words[-1].startswith(f"http://127.0.0.1:{place.catalog_port}")
    return words[-1], {name: value}


async def test_the_first_printed_command_lists_products_and_the_last_takes_the_access_away(
    place: Place,
) -> None:
    async with (
        run_services("authsvc", "catalogsvc", environ=place.environ, ports=place.ports) as running,
        aiohttp.ClientSession() as http,
    ):
        await running.printed("authctl revoke")
        url, headers = pasted(running, place)
        async with http.get(url, headers=headers) as allowed:
            products = await allowed.json()

        code, _ = await authctl("revoke", "ana", "centro", environ=place.environ)
        status = 200
        async with asyncio.timeout(2.0):  # the promise
            while status == 200:
                async with http.get(url, headers=headers) as refused:
                    status, problem = refused.status, await refused.json()

    assert allowed.status == 200
    assert [product["sku"] for product in products["products"]] == ["C-002", "B-001", "C-001"]
    assert code == 0
    assert (status, problem["detail"]) == (403, "NOT_ASSIGNED")


async def test_it_tells_where_everything_is(place: Place) -> None:
    async with run_services(
        "authsvc", "catalogsvc", environ=place.environ, ports=place.ports
    ) as running:
        await running.printed("authctl revoke")

        assert re.search(rf"auth +gRPC +127.0.0.1:{place.grpc_port}\n", running.output)
        assert re.search(rf"auth +REST +http://127.0.0.1:{place.auth_port}\n", running.output)
        assert re.search(rf"catalog +REST +http://127.0.0.1:{place.catalog_port}\n", running.output)
        assert running.output.count("\ncurl ") == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_exit_code_0_and_no_traceback(
    place: Place, number: signal.Signals
) -> None:
    async with run_services(
        "authsvc", "catalogsvc", environ=place.environ, ports=place.ports
    ) as running:
        await running.printed("authctl revoke")

        code = await running.stop(number)

    assert code == 0
    assert "Traceback" not in running.output
    assert "rror" not in running.output


async def test_a_second_start_finds_the_data_and_keys_of_the_first(place: Place) -> None:
    async with run_services("authsvc", environ=place.environ, ports=place.ports[:2]):
        _, token = await authctl("token", "issue", "ana", environ=place.environ)
        await authctl("revoke", "ana", "centro", environ=place.environ)

    async with (
        run_services("authsvc", environ=place.environ, ports=place.ports[:2]),
        aiohttp.ClientSession() as http,
    ):
        auth = f"http://127.0.0.1:{place.auth_port}/api/v1"
        async with http.post(f"{auth}/tokens/verify", json={"token": token.strip()}) as verified:
            identity = await verified.json()
        question = {"user_id": "ana", "organization_id": "demo"}
        async with http.get(f"{auth}/locals/centro/validate", params=question) as validated:
            answer = await validated.json()

    assert identity["is_valid"]
    assert answer["reason"] == "NOT_ASSIGNED"


async def test_health_metrics_and_contract_are_served(place: Place) -> None:
    async with (
        run_services("authsvc", "catalogsvc", environ=place.environ, ports=place.ports) as running,
        aiohttp.ClientSession() as http,
    ):
        await running.printed("authctl revoke")
        url, headers = pasted(running, place)
        async with http.get(url, headers=headers) as response:
            assert response.status == 200
        pages = {}
        for port in (place.auth_port, place.catalog_port):
            for path in ("/livez", "/readyz", "/openapi.json", "/metrics"):
                async with http.get(f"http://127.0.0.1:{port}{path}") as response:
                    assert response.status == 200, path
                    pages[port, path] = await response.text()
        async with http.get(f"http://127.0.0.1:{place.auth_port}/health/grpc") as response:
            health = await response.json()

    assert health == {"status": "healthy"}
    seen = 'grpc_requests_total{method="CheckLocals",service="access.v1",status="OK"} 1.0'
    assert seen in pages[place.auth_port, "/metrics"]
    assert seen in pages[place.catalog_port, "/metrics"]
    assert "authz_cache_misses_total 1.0" in pages[place.catalog_port, "/metrics"]
