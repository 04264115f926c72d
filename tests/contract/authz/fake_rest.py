"""Auth's REST, answered from the book of a fake Auth."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from catalogsvc.authz.model import LocalQuery
from svckit.errors import ServiceError
from svckit.status import wire_status
from tests.contract.authz.fake_book import FakeAuth, Said

__all__ = ["serve_rest"]

WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serve_rest(fake: FakeAuth, *, port: int = 0, is_old: bool = False) -> AsyncIterator[str]:
    """Yields "http://host:port". An old Auth has no batches, and names no revision."""
    app = web.Application(middlewares=[_rest_trouble])
    app[FAKE] = fake
    app[IS_OLD] = is_old
    app.router.add_get("/api/v1/locals/{local_id}/validate", _validate)
    if not is_old:
        app.router.add_post("/api/v1/locals/validate", _validate_all)
    app.router.add_post("/api/v1/tokens/verify", _verify)
    app.router.add_get("/api/v1/users/{user_id}/permissions", _permissions)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


FAKE = web.AppKey("fake", FakeAuth)
IS_OLD = web.AppKey("is_old", bool)


@web.middleware
async def _rest_trouble(request: web.Request, handler: WebHandler) -> web.StreamResponse:
    request.app[FAKE].metadata = {key.lower(): value for key, value in request.headers.items()}
    try:
        return await handler(request)
    except ServiceError as exc:
        headers = {}
        if exc.retry_after_s is not None:
            headers["retry-after"] = str(int(exc.retry_after_s))
        status = wire_status(exc)
        return web.json_response(
            {"title": status.title, "status": status.http, "detail": exc.detail},
            status=status.http,
            content_type="application/problem+json",
            headers=headers,
        )


async def _validate(request: web.Request) -> web.Response:
    said = await request.app[FAKE].decide(
        LocalQuery(
            user_id=request.query["user_id"],
            organization_id=request.query["organization_id"],
            local_id=request.match_info["local_id"],
        )
    )
    return web.json_response(
        {"is_valid": said.is_valid, "local_name": said.local_name, "reason": said.reason}
    )


async def _validate_all(request: web.Request) -> web.Response:
    columns = await request.json()
    names = ("user_ids", "organization_ids", "local_ids")
    rows = list(zip(*(columns[name] for name in names), strict=True))
    saids = await request.app[FAKE].decide_all(rows)
    return web.json_response(
        {
            "reasons": [_reason(said) for said in saids],
            "local_names": [said.local_name if said.is_valid else "" for said in saids],
            **_as_of(request),
        }
    )


async def _verify(request: web.Request) -> web.Response:
    fake = request.app[FAKE]
    found = await fake.identify((await request.json())["token"])
    if found is None:
        return web.json_response({"is_valid": False, "error_message": fake.bad_token_reason})
    user_id, organization_id, permissions = found
    new = {} if request.app[IS_OLD] else {"expires_at": fake.expires_at}
    return web.json_response(
        {
            "is_valid": True,
            "user_id": user_id,
            "organization_id": organization_id,
            "permissions": list(permissions),
            "error_message": "",
            **new,
            **_as_of(request),
        }
    )


async def _permissions(request: web.Request) -> web.Response:
    found = await request.app[FAKE].list_permissions(request.match_info["user_id"])
    new = {} if request.app[IS_OLD] else {"organization_id": "o1"}
    return web.json_response({"permissions": list(found), **new, **_as_of(request)})


def _reason(said: Said) -> str:
    if said.is_valid and not said.reason:
        return "ALLOWED"
    if not said.is_valid and said.reason in ("", "ALLOWED"):
        return "A_REASON_OF_THE_FUTURE"
    return said.reason


def _as_of(request: web.Request) -> dict[str, Any]:
    fake = request.app[FAKE]
    if request.app[IS_OLD]:
        return {}
    return {"revision": fake.revision, "age_ms": fake.age_ms, "database_id": fake.database_id}
