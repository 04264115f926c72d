"""The seed's three RPCs, called as grpclib calls them: failures pass through untouched."""

import pytest

from authsvc.decision import AccessFacts, PermissionFacts
from authsvc.grpc_api import AuthGrpc
from authsvc.keys import Keys
from authsvc.model import LocalQuery, Status
from authsvc.service import AuthService
from authsvc.tokens import TokenRules
from generated.auth import (
    GetUserPermissionsRequest,
    ValidateLocalRequest,
    ValidateLocalResponse,
    VerifyTokenRequest,
    VerifyTokenResponse,
)
from svckit.errors import InvalidRequest, NotFound, Unavailable
from tests.fakes import FakeStore

NOW = 1_800_000_000.0
REQUEST = ValidateLocalRequest(user_id="u1", organization_id="o1", local_id="l1")


class Setting:
    """The RPCs over a store in memory, in which u1 may enter l1."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.store.permissions["u1"] = PermissionFacts(
            organization_id="o1",
            user_status=Status.ACTIVE,
            organization_status=Status.ACTIVE,
            role_permissions=frozenset({"catalog:read"}),
        )
        self.store.access[LocalQuery(user_id="u1", organization_id="o1", local_id="l1")] = (
            AccessFacts(
                user_status=Status.ACTIVE,
                organization_status=Status.ACTIVE,
                is_member=True,
                local_status=Status.ACTIVE,
                local_name="Centro",
                is_assigned=True,
            )
        )
        self.keys = Keys(self.store, clock=lambda: NOW)
        rules = TokenRules(issuer="portero", audience="portero", ttl_s=600)
        self.service = AuthService(
            store=self.store, keys=self.keys, rules=rules, wall_clock=lambda: NOW
        )
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
    await a.keys.make_first(wall_now=NOW)
    token = await a.service.issue_token("u1")

    answer = await a.grpc.verify_token(VerifyTokenRequest(token=token))

    assert answer == VerifyTokenResponse(
        is_valid=True, user_id="u1", organization_id="o1", permissions=["catalog:read"]
    )


async def test_a_bad_token_is_an_answer_with_a_short_sentence() -> None:
    answer = await Setting().grpc.verify_token(VerifyTokenRequest(token="no token"))

    assert answer == VerifyTokenResponse(is_valid=False, error_message="malformed token")


async def test_a_token_cannot_be_judged_while_the_store_is_down() -> None:
    a = Setting()
    await a.keys.make_first(wall_now=NOW)
    token = await a.service.issue_token("u1")
    a.store.is_down = True

    with pytest.raises(Unavailable):
        await a.grpc.verify_token(VerifyTokenRequest(token=token))


async def test_permissions_are_listed_and_an_unknown_user_is_not_found() -> None:
    a = Setting()

    answer = await a.grpc.get_user_permissions(GetUserPermissionsRequest(user_id="u1"))

    assert answer.permissions == ["catalog:read"]
    with pytest.raises(NotFound, match="no such user"):
        await a.grpc.get_user_permissions(GetUserPermissionsRequest(user_id="u2"))
