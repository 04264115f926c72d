"""The OpenAPI document: valid, complete, and made of the same endpoints as the routes."""

from typing import Any

import msgspec
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.requests import Request
from starlette.responses import Response

from svckit import errors
from svckit.openapi import openapi_document
from svckit.rest import Endpoint


class Query(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    limit: int = 10


class Headers(msgspec.Struct, frozen=True, kw_only=True):
    if_match: str = msgspec.field(default="", name="If-Match")


class Body(msgspec.Struct, frozen=True, kw_only=True):
    name: str


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class Things(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Thing, ...] = ()


async def answer(_: Request) -> Response:
    return Response()


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/things",
        summary="Which things are there?",
        answer=answer,
        query=Query,
        result=Things,
        failures=(errors.InvalidRequest, errors.Unavailable),
    ),
    Endpoint(
        method="POST",
        path="/api/v1/things",
        summary="Make a thing.",
        answer=answer,
        body=Body,
        result=Thing,
        status=201,
        also=(200,),
        failures=(errors.Unavailable, errors.Conflict),
        needs_token=True,
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/things/{thing_id}",
        summary="Remove a thing.",
        answer=answer,
        headers=Headers,
        status=204,
    ),
)


def document() -> dict[str, Any]:
    return openapi_document(ENDPOINTS, title="Things", version="1.2.3")


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_the_document_is_plain_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(document())) == document()


def test_every_endpoint_is_there_under_its_path_and_method() -> None:
    paths = document()["paths"]

    assert {(path, method) for path, of_path in paths.items() for method in of_path} == {
        (e.path, e.method.lower()) for e in ENDPOINTS
    }
    assert document()["info"] == {"title": "Things", "version": "1.2.3"}


def test_operations_have_distinct_names() -> None:
    paths = document()["paths"]

    assert [paths[e.path][e.method.lower()]["operationId"] for e in ENDPOINTS] == [
        "get_things",
        "post_things",
        "delete_things_thing_id",
    ]


def test_parameters_are_those_of_the_path_and_of_the_query() -> None:
    paths = document()["paths"]

    assert paths["/api/v1/things"]["get"]["parameters"] == [
        {"name": "name", "in": "query", "required": True, "schema": {"type": "string"}},
        {
            "name": "limit",
            "in": "query",
            "required": False,
            "schema": {"type": "integer", "default": 10},
        },
    ]
    assert paths["/api/v1/things/{thing_id}"]["delete"]["parameters"] == [
        {
            "name": "thing_id",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 128},
        },
        {
            "name": "If-Match",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "default": ""},
        },
    ]


def test_other_statuses_have_the_same_result() -> None:
    responses = document()["paths"]["/api/v1/things"]["post"]["responses"]

    assert responses["200"] == responses["201"]


def test_each_failure_is_a_problem_in_the_order_of_its_status() -> None:
    responses = document()["paths"]["/api/v1/things"]["post"]["responses"]

    assert list(responses) == ["201", "200", "409", "503"]
    problem = responses["409"]["content"]["application/problem+json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/Problem"}


def test_bodies_and_results_are_shared_schemas() -> None:
    post = document()["paths"]["/api/v1/things"]["post"]

    assert post["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Body"
    }
    assert post["responses"]["201"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Thing"
    }
    assert set(document()["components"]["schemas"]) == {"Body", "Problem", "Thing", "Things"}


def test_only_endpoints_that_ask_for_a_token_say_so() -> None:
    of_things = document()["paths"]["/api/v1/things"]

    assert of_things["post"]["security"] == [{"token": []}]
    assert "security" not in of_things["get"]
