"""REST endpoints: typed in, typed out, every failure a problem of the one status table.

An `Endpoint` is declared once; the route and its OpenAPI entry both come from it.
"""

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from svckit import errors
from svckit.ids import check_id
from svckit.status import wire_status

__all__ = [
    "Endpoint",
    "Answer",
    "ReportBug",
    "rest_app",
    "path_id",
    "read_query",
    "read_body",
    "json_answer",
    "problem",
]

BODY_BYTES_MAX = 256 * 1024
DETAIL_CHARS_MAX = 300
# How old an answer may be is promised; a cache on the way would not know of it.
UNCACHED = {"cache-control": "no-store"}

T = TypeVar("T")
Answer = Callable[[Request], Awaitable[Response]]
# Told of a failure that is our own bug; returns the id under which the log has it.
ReportBug = Callable[[BaseException], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one path. `query`, `headers`, `body` and `result` are msgspec structs.

    `also` are other statuses with the same result.
    """

    method: str
    path: str
    summary: str
    answer: Answer
    query: type[msgspec.Struct] | None = None
    headers: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    result: Any = None
    status: int = 200
    also: tuple[int, ...] = ()
    failures: tuple[type[errors.ServiceError], ...] = ()
    needs_token: bool = False
    # The RPC that asks the same: only a service that may call that one may ask here.
    rpc: str = ""


def rest_app(
    endpoints: Sequence[Endpoint],
    *,
    report_bug: ReportBug,
    timeout_s: float,
    extra_routes: Sequence[Route] = (),
) -> ASGIApp:
    """An ASGI app of the endpoints. Each call ends within `timeout_s`, with 504 at the latest."""
    routes = [
        Route(e.path, _guarded(e.answer, report_bug, timeout_s), methods=[e.method])
        for e in endpoints
    ]
    app = Starlette(
        routes=[*routes, *extra_routes], exception_handlers={HTTPException: _http_problem}
    )
    # A path with a slash too many is unknown like any other, not a redirect without a body.
    app.router.redirect_slashes = False
    return _routed_by_encoded_path(app)


def path_id(request: Request, name: str) -> str:
    """The id in the path, decoded. Raises InvalidRequest."""
    try:
        return check_id(name, unquote(request.path_params[name], errors="strict"))
    except UnicodeDecodeError as exc:
        raise errors.InvalidRequest(f"{name} is not valid UTF-8") from exc


def read_query(request: Request, kind: type[T]) -> T:
    """The query string as a struct. Raises InvalidRequest; a name given twice is ambiguous."""
    text = request.scope["query_string"].decode("latin-1")
    try:
        # Starlette would put a replacement character where the bytes are not UTF-8.
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as exc:
        raise errors.InvalidRequest("the query is not valid UTF-8") from exc
    if len(pairs) != len(dict(pairs)):
        raise errors.InvalidRequest("a query parameter is given twice")
    try:
        return msgspec.convert(dict(pairs), kind, strict=False)
    except msgspec.ValidationError as exc:
        raise errors.InvalidRequest(_detail(exc)) from exc


async def read_body(request: Request, kind: type[T]) -> T:
    """The JSON body as a struct. Raises InvalidRequest, or TooLarge above 256 KiB."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise errors.InvalidRequest("the body must be application/json")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise errors.TooLarge(f"the body is larger than {BODY_BYTES_MAX} bytes")
    try:
        return msgspec.json.decode(bytes(body), type=kind)
    except msgspec.ValidationError as exc:
        raise errors.InvalidRequest(_detail(exc)) from exc
    except (ValueError, RecursionError) as exc:
        raise errors.InvalidRequest("the body is not valid JSON") from exc


def json_answer(
    value: Any, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(
        msgspec.json.encode(value),
        status_code=status,
        headers={**UNCACHED, **(headers or {})},
        media_type="application/json",
    )


def problem(error: errors.ServiceError) -> Response:
    """RFC 9457 `application/problem+json`."""
    row = wire_status(error)
    headers: dict[str, str] = {}
    if row.http in (429, 503):
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s or 1.0)))
    if isinstance(error, errors.Unauthenticated):
        headers["www-authenticate"] = error.challenge
    return _problem_response(row.http, row.title, error.detail, headers)


def _problem_response(status: int, title: str, detail: str, headers: dict[str, str]) -> Response:
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(
        msgspec.json.encode(content),
        status_code=status,
        headers={**UNCACHED, **headers},
        media_type="application/problem+json",
    )


def _guarded(answer: Answer, report_bug: ReportBug, timeout_s: float) -> Answer:
    async def guarded(request: Request) -> Response:
        try:
            async with asyncio.timeout(timeout_s) as bound:
                return await answer(request)
        except errors.ServiceError as exc:
            return problem(exc)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it; the log does
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as exc:  # noqa: BLE001 # a panic in an extension module is no Exception
            if isinstance(exc, TimeoutError) and bound.expired():
                return problem(errors.DeadlineExceeded("no answer within the time limit"))
            return problem(errors.Internal(report_bug(exc)))

    # Starlette takes a bound method or function for an endpoint, anything else for an ASGI app.
    assert inspect.iscoroutinefunction(guarded)
    return guarded


def _routed_by_encoded_path(app: ASGIApp) -> ASGIApp:
    """Routes see the path as it was sent: an id may hold a slash, which arrives as %2F."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["path"] = scope["raw_path"].partition(b"?")[0].decode("latin-1")
        await app(scope, receive, send)

    return routed


async def _http_problem(_: Request, exc: Exception) -> Response:
    """Unknown paths and methods, which Starlette answers before any endpoint is reached."""
    assert isinstance(exc, HTTPException)
    return _problem_response(exc.status_code, exc.detail, exc.detail, dict(exc.headers or {}))


def _detail(exc: msgspec.ValidationError) -> str:
    return str(exc).replace("`$.", "`").replace(" - at `$`", "")[:DETAIL_CHARS_MAX]
