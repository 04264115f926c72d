"""An Auth on a real gRPC socket that knows three users and can be held up or taken away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grpclib.events import RecvRequest, listen
from grpclib.server import Server

from generated.auth import (
    AuthServiceBase,
    ValidateLocalRequest,
    ValidateLocalResponse,
    VerifyTokenRequest,
    VerifyTokenResponse,
)
from svckit.address import Address
from svckit.bind import bind, bound_address

__all__ = ["FakeAuth", "serve_fake_auth"]

ROLES = {
    "ana": ["catalog:read"],
    "luis": ["catalog:create", "catalog:delete", "catalog:edit", "catalog:read"],
    "nobody": [],
}
LOCALS = {("ana", "demo", "centro"), ("luis", "demo", "centro"), ("nobody", "demo", "centro")}


class FakeAuth(AuthServiceBase):
    """Cleared, `may_answer` holds every answer back; `asked` tells that a question has come."""

    def __init__(self) -> None:
        self.address = ""
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = asyncio.Event()
        self.traceparents: list[str] = []

    async def verify_token(self, verify_token_request: VerifyTokenRequest) -> VerifyTokenResponse:
        await self._hold()
        user_id = verify_token_request.token
        if user_id not in ROLES:
            return VerifyTokenResponse(is_valid=False, error_message="bad signature")
        return VerifyTokenResponse(
            is_valid=True, user_id=user_id, organization_id="demo", permissions=ROLES[user_id]
        )

    async def validate_local(
        self, validate_local_request: ValidateLocalRequest
    ) -> ValidateLocalResponse:
        await self._hold()
        asked = validate_local_request
        if (asked.user_id, asked.organization_id, asked.local_id) not in LOCALS:
            return ValidateLocalResponse(is_valid=False, error_message="NOT_ASSIGNED")
        return ValidateLocalResponse(is_valid=True, local_name="Centro")

    async def note(self, event: RecvRequest) -> None:
        self.traceparents.append(str(event.metadata.get("traceparent", "")))

    async def _hold(self) -> None:
        self.asked.set()
        await self.may_answer.wait()


@asynccontextmanager
async def serve_fake_auth() -> AsyncIterator[FakeAuth]:
    auth = FakeAuth()
    server = Server([auth])
    listen(server, RecvRequest, auth.note)
    listener = bind(Address("127.0.0.1", 0), variable="the fake Auth")
    auth.address = str(bound_address(listener))
    await server.start(sock=listener)
    try:
        yield auth
    finally:
        # Its clients are gone by now; with one left, waiting would last for ever.
        server.close()
        await asyncio.wait_for(server.wait_closed(), 5.0)
