"""Auth as the client's tests need it: a small book of answers, and the two wires to ask it by."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import web
from grpclib.events import RecvRequest, SendTrailingMetadata, listen
from grpclib.exceptions import GRPCError
from grpclib.server import Server

from catalogsvc.authz.grpc_transport import open_codec
from catalogsvc.authz.model import LocalQuery
from generated import auth
from svckit.errors import NotFound, ServiceError
from svckit.status import wire_status

__all__ = ["FakeAuth", "Said", "serve_grpc", "serve_rest"]

WebHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Said:
    """What the wire will carry, however wrong."""

    is_valid: bool
    local_name: str = ""
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class FakeAuth:
    """`trouble` is raised instead of an answer; while `is_silent` nobody is answered at all."""

    decisions: dict[LocalQuery, Said] = field(default_factory=dict)
    tokens: dict[str, tuple[str, str, tuple[str, ...]]] = field(default_factory=dict)
    permissions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bad_token_reason: str = "bad signature"
    trouble: ServiceError | None = None
    is_silent: bool = False
    asked: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    metadata: Mapping[str, str] = field(default_factory=dict)

    async def decide(self, query: LocalQuery) -> Said:
        await self._be_asked()
        return self.decisions.get(query, Said(False, "", "NOT_ASSIGNED"))

    async def identify(self, token: str) -> tuple[str, str, tuple[str, ...]] | None:
        await self._be_asked()
        return self.tokens.get(token)

    async def list_permissions(self, user_id: str) -> tuple[str, ...]:
        await self._be_asked()
        if user_id not in self.permissions:
            raise NotFound("no such user")
        return self.permissions[user_id]

    async def _be_asked(self) -> None:
        self.asked += 1
        self.was_asked.set()
        if self.is_silent:
            await asyncio.Event().wait()
        if self.trouble is not None:
            raise self.trouble


class _GrpcService(auth.AuthServiceBase):
    def __init__(self, fake: FakeAuth) -> None:
        self._fake = fake

    async def validate_local(
        self, validate_local_request: auth.ValidateLocalRequest
    ) -> auth.ValidateLocalResponse:
        request = validate_local_request
        with _grpc_trouble():
            said = await self._fake.decide(
                LocalQuery(
                    user_id=request.user_id,
                    organization_id=request.organization_id,
                    local_id=request.local_id,
                )
            )
        return auth.ValidateLocalResponse(
            is_valid=said.is_valid, local_name=said.local_name, error_message=said.reason
        )

    async def verify_token(
        self, verify_token_request: auth.VerifyTokenRequest
    ) -> auth.VerifyTokenResponse:
        with _grpc_trouble():
            found = await self._fake.identify(verify_token_request.token)
        if found is None:
            return auth.VerifyTokenResponse(error_message=self._fake.bad_token_reason)
        user_id, organization_id, permissions = found
        return auth.VerifyTokenResponse(
            is_valid=True,
            user_id=user_id,
            organization_id=organization_id,
            permissions=list(permissions),
        )

    async def get_user_permissions(
        self, get_user_permissions_request: auth.GetUserPermissionsRequest
    ) -> auth.GetUserPermissionsResponse:
        with _grpc_trouble():
            found = await self._fake.list_permissions(get_user_permissions_request.user_id)
        return auth.GetUserPermissionsResponse(permissions=list(found))


@contextmanager
def _grpc_trouble() -> Iterator[None]:
    try:
        yield
    except ServiceError as exc:
        raise GRPCError(wire_status(exc).grpc, exc.detail) from exc


@asynccontextmanager
async def serve_grpc(fake: FakeAuth, *, port: int = 0) -> AsyncIterator[str]:
    """Yields "host:port"."""
    server = Server([_GrpcService(fake)], codec=open_codec())

    async def on_request(event: RecvRequest) -> None:
        fake.metadata = {key: str(value) for key, value in event.metadata.items()}

    async def on_trailers(event: SendTrailingMetadata) -> None:
        if fake.trouble is not None and fake.trouble.retry_after_s is not None:
            event.metadata["retry-pushback-ms"] = str(int(fake.trouble.retry_after_s * 1000))

    listen(server, RecvRequest, on_request)
    listen(server, SendTrailingMetadata, on_trailers)
    listener = socket.create_server(("127.0.0.1", port))
    await server.start(sock=listener)
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.close()
        # On Python 3.12 and later this waits for clients that are still connected.
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await server.wait_closed()


@asynccontextmanager
async def serve_rest(fake: FakeAuth, *, port: int = 0) -> AsyncIterator[str]:
    """Yields "http://host:port"."""
    app = web.Application(middlewares=[_rest_trouble])
    app[FAKE] = fake
    app.router.add_get("/api/v1/locals/{local_id}/validate", _validate)
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


async def _verify(request: web.Request) -> web.Response:
    fake = request.app[FAKE]
    found = await fake.identify((await request.json())["token"])
    if found is None:
        return web.json_response({"is_valid": False, "error_message": fake.bad_token_reason})
    user_id, organization_id, permissions = found
    return web.json_response(
        {
            "is_valid": True,
            "user_id": user_id,
            "organization_id": organization_id,
            "permissions": list(permissions),
            "error_message": "",
        }
    )


async def _permissions(request: web.Request) -> web.Response:
    found = await request.app[FAKE].list_permissions(request.match_info["user_id"])
    return web.json_response({"permissions": list(found)})
