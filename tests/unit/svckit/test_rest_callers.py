"""Who is let in to an endpoint, by the RPC that asks the same."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from svckit.callers import KEY_HEADER, Callers, ServiceKey
from svckit.gate import Gate
from svckit.http_server import PEER_NAMES
from svckit.openapi import openapi_document
from svckit.rest import Endpoint, rest_app
from svckit.rest_callers import guard_endpoints
from tests.asgi import ask
from tests.unit.svckit.seen import Seen

KEY, LIMITED_KEY = "canary-" + "k" * 32, "canary-" + "o" * 32
CALLERS = Callers(
    keys=(ServiceKey.of("catalog", KEY), ServiceKey.of("billing", LIMITED_KEY)),
    certificates={"DNS:catalog": "catalog"},
    rpcs={"billing": frozenset({"Watch"})},
)


async def answer(_: Request) -> Response:
    return Response("answered")


ENDPOINTS = (
    Endpoint(method="GET", path="/closed", summary="Closed.", answer=answer, rpc="Check"),
    Endpoint(method="GET", path="/open", summary="Open.", answer=answer),
)


def gate_of(seen: Seen) -> Gate:
    clock = asyncio.get_running_loop().time
    return Gate(CALLERS, log=seen.telemetry.log, clock=clock, on_refused=lambda *_: None)


def app(seen: Seen, names: tuple[str, ...] = ()) -> ASGIApp:
    """As it is behind a server that has verified a certificate with these names."""
    gate = gate_of(seen)
    inner = rest_app(guard_endpoints(ENDPOINTS, gate), report_bug=str, timeout_s=5)

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {PEER_NAMES: names}
        await inner(scope, receive, send)

    return served


@pytest.mark.parametrize(
    ("path", "headers", "names", "status"),
    [
        ("/closed", {KEY_HEADER: KEY}, (), 200),
        ("/closed", {}, ("DNS:catalog",), 200),
        ("/closed", {}, (), 401),
        ("/closed", {}, ("DNS:other",), 401),
        ("/closed", {KEY_HEADER: ""}, (), 401),
        ("/closed", {KEY_HEADER: KEY + "x"}, ("DNS:catalog",), 401),
        # A bearer is a user's.
        ("/closed", {"authorization": f"Bearer {KEY}"}, (), 401),
        ("/closed", {KEY_HEADER: LIMITED_KEY}, (), 403),
        ("/open", {}, (), 200),
    ],
)
async def test_each_request_is_let_in_by_its_own_credential(
    path: str, headers: dict[str, str], names: tuple[str, ...], status: int
) -> None:
    seen = Seen()

    said = await ask(app(seen, names), "GET", path, headers=headers)

    assert said.status == status
    if status != 200:
        assert said.headers["content-type"] == "application/problem+json"
    assert ("www-authenticate" in said.headers) is (status == 401)
    assert len(seen.lines("caller_refused")) == (0 if status == 200 else 1)
    assert "canary" not in repr((said, seen.capture.entries))


async def test_of_several_keys_none_is_chosen() -> None:
    app_ = app(Seen())

    async def twice(scope: Scope, receive: Receive, send: Send) -> None:
        scope["headers"] += [(KEY_HEADER.encode(), KEY.encode())] * 2
        await app_(scope, receive, send)

    assert (await ask(twice, "GET", "/closed")).status == 401


async def test_the_contract_says_what_a_closed_endpoint_asks_for() -> None:
    gate = gate_of(Seen())

    document = openapi_document(guard_endpoints(ENDPOINTS, gate), title="x", version="1")

    closed, open_ = (document["paths"][path]["get"] for path in ("/closed", "/open"))
    assert closed["security"] == [{"service": []}, {}]
    assert {"401", "403"} <= closed["responses"].keys()
    assert "security" not in open_
    assert document["components"]["securitySchemes"]["service"]["name"] == KEY_HEADER
