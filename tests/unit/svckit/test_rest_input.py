"""REST endpoints: queries and bodies are read by type, strictly, and up to a bound."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from svckit.rest import (
    BODY_BYTES_MAX,
    DETAIL_CHARS_MAX,
    Endpoint,
    json_answer,
    read_body,
    read_query,
    rest_app,
)
from tests.asgi import ask, assert_problem

JSON = {"content-type": "application/json"}


class Query(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    limit: int = 10


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    count: int = 0


async def search(request: Request) -> Response:
    return json_answer(read_query(request, Query))


async def create(request: Request) -> Response:
    return json_answer(await read_body(request, Body), status=201, headers={"location": "/x"})


def app(*extra: Endpoint) -> ASGIApp:
    endpoints = (
        Endpoint(method="GET", path="/things", summary="", answer=search),
        Endpoint(method="POST", path="/things", summary="", answer=create),
        *extra,
    )
    return rest_app(endpoints, report_bug=str, timeout_s=5)


# Queries


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=a", {"name": "a", "limit": 10}),
        ("limit=5&name=a%26b", {"name": "a&b", "limit": 5}),
        ("name=", {"name": "", "limit": 10}),
        ("name=a+b", {"name": "a b", "limit": 10}),
        ("name=caf%C3%A9&other=1", {"name": "café", "limit": 10}),
        ("name=null", {"name": "null", "limit": 10}),
        ("name=a;limit=5", {"name": "a;limit=5", "limit": 10}),
    ],
)
async def test_a_query_is_read_by_type(query: str, expected: dict[str, Any]) -> None:
    answer = await ask(app(), "GET", f"/things?{query}")

    assert (answer.status, answer.json()) == (200, expected)


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("", "Object missing required field `name`"),
        ("name=a&name=b", "a query parameter is given twice"),
        ("name=a&name=a", "a query parameter is given twice"),
        ("name=a&other=1&other=2", "a query parameter is given twice"),
        ("name=%FF", "the query is not valid UTF-8"),
        ("%FF=1&name=a", "the query is not valid UTF-8"),
        ("name=a&limit=many", "Expected `int`, got `str` - at `limit`"),
        ("name=a&limit=", "Expected `int`, got `str` - at `limit`"),
    ],
)
async def test_a_bad_query_is_invalid(query: str, detail: str) -> None:
    assert_problem(await ask(app(), "GET", f"/things?{query}"), 400, "Invalid request", detail)


# Bodies


async def test_a_body_is_read_however_it_is_cut() -> None:
    answer = await ask(
        app(), "POST", "/things", body=[b'{"na', b'me":"\xc3', b"\xa9", b'"}'], headers=JSON
    )

    assert (answer.status, answer.headers["location"]) == (201, "/x")
    assert answer.json() == {"name": "é", "count": 0}


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
async def test_a_json_body_says_so(kind: str) -> None:
    answer = await ask(
        app(), "POST", "/things", body=[b'{"name":"a"}'], headers={"content-type": kind}
    )

    assert answer.status == 201


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "json"])
async def test_a_body_of_another_kind_is_invalid(kind: str) -> None:
    # A browser sends these across origins without asking first; application/json it does not.
    answer = await ask(
        app(), "POST", "/things", body=[b'{"name":"a"}'], headers={"content-type": kind}
    )

    assert_problem(answer, 400, "Invalid request", "the body must be application/json")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"name":"a"}x',
        b'{"name":"\xff"}',
        b'{"name":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"{'name':'a'}",
        b'{"name":"a",}',
        b'{"name":NaN}',
        b'{"name":"\n"}',
    ],
)
async def test_a_body_that_is_no_json_is_invalid(body: bytes) -> None:
    answer = await ask(app(), "POST", "/things", body=[body], headers=JSON)

    assert_problem(answer, 400, "Invalid request", "the body is not valid JSON")


async def test_a_body_nested_without_end_is_invalid() -> None:
    async def answer(request: Request) -> Response:
        return json_answer(await read_body(request, dict))

    loose = Endpoint(method="POST", path="/loose", summary="", answer=answer)
    bomb = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    got = await ask(app(loose), "POST", "/loose", body=[bomb], headers=JSON)

    assert_problem(got, 400, "Invalid request", "the body is not valid JSON")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"[]", "Expected `object`, got `array`"),
        (b"null", "Expected `object`, got `null`"),
        (b"{}", "Object missing required field `name`"),
        (b'{"name":1}', "Expected `str`, got `int` - at `name`"),
        (b'{"name":"a","count":true}', "Expected `int`, got `bool` - at `count`"),
        (b'{"name":"a","count":"1"}', "Expected `int`, got `str` - at `count`"),
        (b'{"name":"a","more":1}', "Object contains unknown field `more`"),
    ],
)
async def test_a_body_of_another_shape_is_invalid_and_says_where(body: bytes, detail: str) -> None:
    answer = await ask(app(), "POST", "/things", body=[body], headers=JSON)

    assert_problem(answer, 400, "Invalid request", detail)


async def test_a_refusal_never_repeats_more_than_a_little_of_the_body() -> None:
    body = msgspec.json.encode({"x" * 10_000: 1})

    answer = await ask(app(), "POST", "/things", body=[body], headers=JSON)

    assert len(answer.json()["detail"]) <= DETAIL_CHARS_MAX


def body_of(size: int) -> bytes:
    return b'{"name":"' + b"x" * (size - 11) + b'"}'


def chunks(body: bytes, size: int = 10_000) -> Sequence[bytes]:
    return [body[i : i + size] for i in range(0, len(body), size)]


async def test_a_body_of_the_largest_size_is_read() -> None:
    answer = await ask(app(), "POST", "/things", body=chunks(body_of(BODY_BYTES_MAX)), headers=JSON)

    assert answer.status == 201


@pytest.mark.parametrize("headers", [{}, {"content-length": str(BODY_BYTES_MAX + 1)}])
@pytest.mark.parametrize("chunk_size", [10_000, BODY_BYTES_MAX + 1])
async def test_a_larger_body_is_too_large_whether_or_not_it_said_so(
    headers: dict[str, str], chunk_size: int
) -> None:
    body = chunks(body_of(BODY_BYTES_MAX + 1), chunk_size)

    answer = await ask(app(), "POST", "/things", body=body, headers=JSON | headers)

    assert_problem(answer, 413, "Too large", f"the body is larger than {BODY_BYTES_MAX} bytes")
