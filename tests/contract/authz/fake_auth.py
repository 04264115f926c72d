"""A fake Auth on its two wires."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from grpclib._typing import IServable
from grpclib.events import RecvRequest, SendTrailingMetadata, listen
from grpclib.server import Server

from catalogsvc.authz.grpc_transport import open_codec
from catalogsvc.authz.model import LocalQuery
from generated import auth
from tests.contract.authz.fake_access import AccessService, grpc_trouble
from tests.contract.authz.fake_book import FakeAuth, Said
from tests.contract.authz.fake_rest import serve_rest

__all__ = ["AuthService", "FakeAuth", "Said", "serve_grpc", "serve_rest"]


class AuthService(auth.AuthServiceBase):
    def __init__(self, fake: FakeAuth) -> None:
        self._fake = fake

    async def validate_local(
        self, validate_local_request: auth.ValidateLocalRequest
    ) -> auth.ValidateLocalResponse:
        request = validate_local_request
        with grpc_trouble():
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
        with grpc_trouble():
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
        with grpc_trouble():
            found = await self._fake.list_permissions(get_user_permissions_request.user_id)
        return auth.GetUserPermissionsResponse(permissions=list(found))


@asynccontextmanager
async def serve_grpc(fake: FakeAuth, *, port: int = 0, is_old: bool = False) -> AsyncIterator[str]:
    """Yields "host:port". An old Auth has the first published contract alone."""
    services: list[IServable] = [AuthService(fake)]
    if not is_old:
        services.append(AccessService(fake))
    server = Server(services, codec=open_codec())

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
