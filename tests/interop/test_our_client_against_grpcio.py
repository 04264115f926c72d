"""Our client against a server built from the contract alone: grpcio and Google's stubs."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from catalogsvc.authz import (
    AuthClient,
    AuthClientSettings,
    AuthUnavailable,
    CredentialRefused,
    InvalidRequest,
    InvalidToken,
    LocalQuery,
    Reason,
    Source,
    UnknownUser,
)
from tests.interop.conftest import GoogleStubs


class Servicer:
    """Answers as such servers do; `code` is an error to end every call with."""

    def __init__(self, messages: Any) -> None:
        self._messages = messages
        self.code: grpc.StatusCode | None = None
        self.metadata: dict[str, str] = {}
        self.time_remaining_s: float | None = None

    async def ValidateLocal(self, request: Any, context: Any) -> Any:  # noqa: N802 # the RPC's name
        await self._begin(context)
        if (request.user_id, request.organization_id, request.local_id) == ("ñ", "o1", "a/b"):
            return self._messages.ValidateLocalResponse(is_valid=True, local_name="Centro")
        return self._messages.ValidateLocalResponse(error_message="NOT_ASSIGNED")

    async def VerifyToken(self, request: Any, context: Any) -> Any:  # noqa: N802 # the RPC's name
        await self._begin(context)
        if request.token != "good":
            return self._messages.VerifyTokenResponse(error_message="Signature has expired")
        return self._messages.VerifyTokenResponse(
            is_valid=True, user_id="u1", organization_id="o1", permissions=["catalog:read"]
        )

    async def GetUserPermissions(self, request: Any, context: Any) -> Any:  # noqa: N802 # the RPC's name
        await self._begin(context)
        if request.user_id != "u1":
            await context.abort(grpc.StatusCode.NOT_FOUND, "who?")
        return self._messages.GetUserPermissionsResponse(permissions=["a", "b", "a"])

    async def _begin(self, context: Any) -> None:
        self.metadata = dict(context.invocation_metadata())
        self.time_remaining_s = context.time_remaining()
        if self.code is not None:
            await context.abort(self.code, "as you wish")


@pytest.fixture
def servicer(google_stubs: GoogleStubs) -> Servicer:
    return Servicer(google_stubs.messages)


@pytest.fixture
async def client(servicer: Servicer, google_stubs: GoogleStubs) -> AsyncIterator[AuthClient]:
    server = grpc.aio.server()
    google_stubs.services.add_AuthServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with AuthClient(AuthClientSettings(grpc_targets=(f"127.0.0.1:{port}",))) as client:
        yield client
    await server.stop(grace=None)


async def test_a_yes(client: AuthClient, servicer: Servicer) -> None:
    decision = await client.validate_local(user_id="ñ", organization_id="o1", local_id="a/b")

    assert decision
    assert decision.local_name == "Centro"
    assert decision.source is Source.GRPC
    assert servicer.time_remaining_s == pytest.approx(5.0, abs=1.0)


async def test_a_no_with_its_reason(client: AuthClient) -> None:
    decision = await client.validate_local(user_id="u2", organization_id="o1", local_id="l1")

    assert decision.reason is Reason.NOT_ASSIGNED


async def test_tokens(client: AuthClient) -> None:
    identity = await client.verify_token("good")
    with pytest.raises(InvalidToken) as caught:
        await client.verify_token("bad")

    assert (identity.user_id, identity.organization_id) == ("u1", "o1")
    assert identity.permissions == {"catalog:read"}
    assert caught.value.reason == "Signature has expired"


async def test_permissions(client: AuthClient) -> None:
    assert await client.get_user_permissions(user_id="u1") == {"a", "b"}
    with pytest.raises(UnknownUser):
        await client.get_user_permissions(user_id="u2")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, AuthUnavailable),
        (grpc.StatusCode.INTERNAL, AuthUnavailable),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, AuthUnavailable),
        (grpc.StatusCode.UNAUTHENTICATED, CredentialRefused),
        (grpc.StatusCode.PERMISSION_DENIED, CredentialRefused),
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidRequest),
    ],
)
async def test_an_error_is_never_a_no(
    client: AuthClient, servicer: Servicer, code: grpc.StatusCode, kind: type[Exception]
) -> None:
    servicer.code = code

    with pytest.raises(kind) as caught:
        await client.validate_local(user_id="ñ", organization_id="o1", local_id="a/b")

    assert type(caught.value) is kind


async def test_a_hundred_questions_at_once(client: AuthClient) -> None:
    queries = [
        LocalQuery(user_id=f"u{number}", organization_id="o1", local_id="l1")
        for number in range(100)
    ]

    assert not any(await client.validate_locals(queries))
