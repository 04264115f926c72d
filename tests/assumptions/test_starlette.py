"""What REST relies on in Starlette."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.asgi import ask


async def echo(request: Request) -> Response:
    return PlainTextResponse(repr((dict(request.path_params), dict(request.query_params))))


def app() -> Starlette:
    return Starlette(routes=[Route("/things/{name}", echo)])


async def test_a_route_sees_the_path_of_the_scope_and_does_not_decode_it() -> None:
    # Why ids with a slash work: we put the raw path there, and decode the id ourselves.
    answer = await ask(app(), "GET", "/things/a%2Fb")

    assert answer.body == b"({'name': 'a%2Fb'}, {})"


async def test_bytes_in_a_query_that_are_not_utf_8_are_replaced_silently() -> None:
    # Why we read the query ourselves.
    answer = await ask(app(), "GET", "/things/a?x=%FF")

    assert "\ufffd" in answer.body.decode()


async def test_a_slash_too_many_is_redirected_by_default() -> None:
    # Why we switch it off.
    assert (await ask(app(), "GET", "/things/a/")).status == 307


async def test_a_failure_that_escapes_an_endpoint_is_raised_again_to_the_server() -> None:
    # Why ours never let one escape.
    async def fail(_: Request) -> Response:
        raise LookupError("escaped")

    with pytest.raises(LookupError, match="escaped"):
        await ask(Starlette(routes=[Route("/x", fail)]), "GET", "/x")
