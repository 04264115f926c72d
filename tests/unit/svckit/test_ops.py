import msgspec
from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette

from svckit.ops import ops_routes
from svckit.readiness import Readiness
from tests.asgi import HttpAnswer, ask


async def answered(path: str, readiness: Readiness) -> HttpAnswer:
    registry = CollectorRegistry()
    Counter("opened_doors", "Doors.", registry=registry).inc()
    routes = ops_routes(readiness=readiness, registry=registry, openapi={"openapi": "3.1.0"})
    return await ask(Starlette(routes=routes), "GET", path)


async def test_ready_is_200() -> None:
    answer = await answered("/readyz", Readiness())

    assert answer.status == 200
    assert msgspec.json.decode(answer.body) == {"status": "ready", "reasons": {}}


async def test_not_ready_is_503_with_the_reasons() -> None:
    readiness = Readiness(["store"])
    readiness.failed("store", "the database does not answer")
    readiness.drain()

    answer = await answered("/readyz", readiness)

    assert answer.status == 503
    assert msgspec.json.decode(answer.body) == {
        "status": "not ready",
        "reasons": {"store": "the database does not answer", "drain": "shutting down"},
    }


async def test_alive_does_not_depend_on_being_ready() -> None:
    assert (await answered("/livez", Readiness(["store"]))).status == 200


async def test_metrics_are_prometheus_text() -> None:
    answer = await answered("/metrics", Readiness())

    assert answer.headers["content-type"].startswith("text/plain")
    assert b"opened_doors_total 1.0" in answer.body


async def test_the_contract_is_served() -> None:
    answer = await answered("/openapi.json", Readiness())

    assert msgspec.json.decode(answer.body) == {"openapi": "3.1.0"}
