"""A service's web face: one call makes the endpoints and all that is asked about them."""

from starlette.requests import Request
from starlette.responses import Response

from svckit.readiness import Readiness
from svckit.rest import Endpoint, json_answer
from svckit.web import operated_app
from tests.asgi import HttpAnswer, ask
from tests.unit.svckit.seen import Seen


async def open_door(_: Request) -> Response:
    return json_answer("open")


async def answered(path: str) -> HttpAnswer:
    app = operated_app(
        [Endpoint(method="GET", path="/door", summary="Open it", answer=open_door, result=str)],
        title="Doors",
        telemetry=Seen().telemetry,
        readiness=Readiness(["store"]),
        timeout_s=5.0,
    )
    return await ask(app, "GET", path)


async def test_an_endpoint_answers_beside_what_operators_ask() -> None:
    statuses = {path: (await answered(path)).status for path in ("/door", "/livez", "/readyz")}

    assert statuses == {"/door": 200, "/livez": 200, "/readyz": 503}


async def test_the_contract_that_is_served_is_that_of_the_endpoints() -> None:
    document = (await answered("/openapi.json")).json()

    assert document["info"]["title"] == "Doors"
    assert set(document["paths"]) == {"/door"}
