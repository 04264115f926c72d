"""The OpenAPI 3.1 document of an app, made from the same endpoints as its routes."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from svckit.callers import KEY_HEADER
from svckit.ids import ID_BYTES_MAX
from svckit.rest import Endpoint
from svckit.status import TABLE

__all__ = ["Problem", "openapi_document"]


# As `path_id` reads it; a maximum of bytes, which no character has fewer than one of.
ID = {"type": "string", "minLength": 1, "maxLength": ID_BYTES_MAX}


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457: how every failure is said."""

    type: str
    title: str
    status: int
    detail: str


def openapi_document(endpoints: Sequence[Endpoint], *, title: str, version: str) -> dict[str, Any]:
    """Plain JSON-ready data. Schemas of all structs stand under `components`."""
    kinds = [kind for e in endpoints for kind in (e.body, e.result) if kind is not None]
    schemas, components = msgspec.json.schema_components(
        [*kinds, Problem], ref_template="#/components/schemas/{name}"
    )
    schema_of = {id(kind): schema for kind, schema in zip([*kinds, Problem], schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for e in endpoints:
        paths.setdefault(e.path, {})[e.method.lower()] = _operation(e, schema_of)
    document = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "service": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
            },
        },
    }
    # The defaults in it are Python's own (tuples), which are no JSON values yet.
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))
    return plain


def _operation(e: Endpoint, schema_of: dict[int, dict[str, Any]]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "the answer"}
    if e.result is not None:
        answer["content"] = {"application/json": {"schema": schema_of[id(e.result)]}}
    operation: dict[str, Any] = {
        "summary": e.summary,
        "operationId": _operation_id(e),
        "parameters": [
            *_path_parameters(e.path),
            *_parameters("query", e.query),
            *_parameters("header", e.headers),
        ],
        "responses": {
            **{str(status): answer for status in (e.status, *e.also)},
            **_failures(e, schema_of[id(Problem)]),
        },
    }
    if e.body is not None:
        content = {"application/json": {"schema": schema_of[id(e.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    if e.needs_token:
        operation["security"] = [{"token": []}]
    if e.rpc:
        # A client's certificate does instead, and where no services are named, nothing is needed.
        operation["security"] = [{"service": []}, {}]
    return operation


def _operation_id(e: Endpoint) -> str:
    words = re.findall(r"[a-z0-9]+", e.path.lower().replace("/api/v1/", ""))
    return "_".join([e.method.lower(), *words])


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": ID}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _parameters(where: str, kind: type[msgspec.Struct] | None) -> list[dict[str, Any]]:
    if kind is None:
        return []
    _, components = msgspec.json.schema_components([kind])
    schema = components[kind.__name__]
    return [
        {"name": name, "in": where, "required": name in schema.get("required", ()), "schema": s}
        for name, s in schema["properties"].items()
    ]


def _failures(e: Endpoint, problem_schema: dict[str, Any]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": problem_schema}}
    rows = sorted((TABLE[kind] for kind in e.failures), key=lambda row: row.http)
    return {str(row.http): {"description": row.title, "content": content} for row in rows}
