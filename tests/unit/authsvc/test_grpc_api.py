"""The three RPCs of `auth.proto`, called as grpclib calls them: failures pass through untouched."""

import pytest

from authsvc.grpc_api import AuthGrpc
from generated.auth import (
    GetUserPermissionsRequest,
    ValidateLocalRequest,
    ValidateLocalResponse,
    VerifyTokenRequest,
    VerifyTokenResponse,
)
from svckit.errors import InvalidRequest, NotFound, Unavailable
from tests.unit.authsvc.service_at_hand import ServiceAtHand

REQUEST = ValidateLocalRequest(user_id="u1", organization_id="o1", local_id="l1")


class Setting(ServiceAtHand):
    """The RPCs over a store in memory, in which u1 may enter l1."""

    def __init__(self) -> None:
        super().__init__()
        self.grpc = AuthGrpc(self.service)


async def test_a_question_is_answered() -> None:
    answer = await Setting().grpc.validate_local(REQUEST)

    assert answer == ValidateLocalResponse(is_valid=True, local_name="Centro")


async def test_half_a_question_is_invalid_and_never_a_denial() -> None:
    with pytest.raises(InvalidRequest, match="organization_id is empty"):
        await Setting().grpc.validate_local(ValidateLocalRequest(user_id="u1", local_id="l1"))


async def test_a_store_that_is_down_is_a_failure_and_never_a_denial() -> None:
    a = Setting()
    a.store.is_down = True

    with pytest.raises(Unavailable):
        await a.grpc.validate_local(REQUEST)
    with pytest.raises(Unavailable):
        await a.grpc.get_user_permissions(GetUserPermissionsRequest(user_id="u1"))


async def test_a_good_token_says_whom_it_speaks_for() -> None:
    a = Setting()
    token = await a.token()

    answer = await a.grpc.verify_token(VerifyTokenRequest(token=token))

    assert answer == VerifyTokenResponse(
        is_valid=True,
        user_id="u1",
        organization_id="o1",
        permissions=["catalog:edit", "catalog:read"],
    )


async def test_a_bad_token_is_an_answer_with_a_short_sentence() -> None:
    answer = await Setting().grpc.verify_token(VerifyTokenRequest(token="no token"))

    assert answer == VerifyTokenResponse(is_valid=False, error_message="malformed token")


async def test_a_token_cannot_be_judged_while_the_store_is_down() -> None:
    a = Setting()
    token = await a.token()
    a.store.is_down = True

    with pytest.raises(Unavailable):
        await a.grpc.verify_token(VerifyTokenRequest(token=token))


async def test_permissions_are_listed_and_an_unknown_user_is_not_found() -> None:
    a = Setting()

    answer = await a.grpc.get_user_permissions(GetUserPermissionsRequest(user_id="u1"))

    assert answer.permissions == ["catalog:edit", "catalog:read"]
    with pytest.raises(NotFound, match="no such user"):
        await a.grpc.get_user_permissions(GetUserPermissionsRequest(user_id="u2"))
