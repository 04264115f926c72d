"""The unary RPCs of access.v1 over a real socket."""

from collections.abc import AsyncIterator

import pytest
from grpclib.client import Channel
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from authsvc.wire import open_codec
from generated.access.v1 import (
    AccessServiceStub,
    BatchCheckLocalsRequest,
    ExplainAccessRequest,
    GetUserPermissionsRequest,
    ListLocalUsersRequest,
    ListUserLocalsRequest,
    Reason,
    TokenVerdict,
    VerifyTokenRequest,
)
from tests.fakes import FakeStore
from tests.integration.authsvc.access_client import ServedAuth, served_auth

TIMEOUT_S = 5.0


@pytest.fixture
def store() -> FakeStore:
    store = FakeStore()
    store.put_organization()
    store.put_local("l1")
    store.put_local("l2", name="Norte")
    store.put_user("u1", locals_={"l1", "l2"}, permissions=("catalog:read",))
    return store


@pytest.fixture
async def auth(store: FakeStore) -> AsyncIterator[ServedAuth]:
    async with served_auth(store) as served:
        yield served


@pytest.fixture
async def access(auth: ServedAuth) -> AsyncIterator[AccessServiceStub]:
    channel = Channel(auth.address.host, auth.address.port, codec=open_codec())
    yield AccessServiceStub(channel, timeout=TIMEOUT_S)
    channel.close()


async def test_a_batch_in_one_call(access: AccessServiceStub, store: FakeStore) -> None:
    answer = await access.batch_check_locals(
        BatchCheckLocalsRequest(
            user_ids=["u1", "u1"], organization_ids=["o1", "o1"], local_ids=["l1", "l9"]
        )
    )

    assert answer.reasons == [Reason["ALLOWED"], Reason["UNKNOWN_LOCAL"]]
    assert answer.local_names == ["Centro", ""]
    assert (answer.revision, answer.database_id) == (store.revision, "d1")


@pytest.mark.parametrize(
    "request_of",
    [
        BatchCheckLocalsRequest(),
        BatchCheckLocalsRequest(user_ids=["u1"], organization_ids=["o1"]),
        BatchCheckLocalsRequest(user_ids=[""], organization_ids=["o1"], local_ids=["l1"]),
        BatchCheckLocalsRequest(
            user_ids=["u"] * 513, organization_ids=["o"] * 513, local_ids=["l"] * 513
        ),
    ],
    ids=["no rows", "unequal", "empty id", "too many"],
)
async def test_a_malformed_batch_is_an_invalid_argument(
    access: AccessServiceStub, request_of: BatchCheckLocalsRequest
) -> None:
    with pytest.raises(GRPCError) as caught:
        await access.batch_check_locals(request_of)

    assert caught.value.status is Status.INVALID_ARGUMENT


async def test_permissions_come_with_whose_they_are_and_as_of_when(
    access: AccessServiceStub, store: FakeStore
) -> None:
    answer = await access.get_user_permissions(GetUserPermissionsRequest(user_id="u1"))

    assert (answer.organization_id, answer.permissions) == ("o1", ["catalog:read"])
    assert (answer.revision, answer.database_id) == (store.revision, "d1")


async def test_a_good_token_says_whom_it_speaks_for_and_until_when(
    access: AccessServiceStub, auth: ServedAuth, store: FakeStore
) -> None:
    token = await auth.service.issue_token("u1")
    identity = await auth.service.verify_token(token)

    answer = await access.verify_token(VerifyTokenRequest(token=token))

    assert (answer.verdict, answer.error_message) == (TokenVerdict["VALID"], "")
    assert (answer.user_id, answer.organization_id) == ("u1", "o1")
    assert answer.permissions == ["catalog:read"]
    assert (answer.expires_at, answer.revision) == (identity.expires_at, store.revision)


async def test_a_bad_token_is_an_answer(access: AccessServiceStub) -> None:
    answer = await access.verify_token(VerifyTokenRequest(token="no token"))

    assert (answer.verdict, answer.error_message) == (TokenVerdict["INVALID"], "malformed token")


async def test_lists_are_told_in_pages(access: AccessServiceStub) -> None:
    first = await access.list_user_locals(ListUserLocalsRequest(user_id="u1", page_size=1))
    second = await access.list_user_locals(
        ListUserLocalsRequest(user_id="u1", page_token=first.next_page_token)
    )
    users = await access.list_local_users(ListLocalUsersRequest(local_id="l1"))

    assert (first.local_ids, first.local_names) == (["l1"], ["Centro"])
    assert (second.local_ids, second.next_page_token) == (["l2"], "")
    assert (users.user_ids, users.next_page_token) == (["u1"], "")


async def test_what_cannot_be_listed_says_why(access: AccessServiceStub) -> None:
    for request, status in (
        (ListUserLocalsRequest(user_id="nobody"), Status.NOT_FOUND),
        (ListUserLocalsRequest(user_id=""), Status.INVALID_ARGUMENT),
        (ListUserLocalsRequest(user_id="u1", page_size=1001), Status.INVALID_ARGUMENT),
        (ListUserLocalsRequest(user_id="u1", page_token="*"), Status.INVALID_ARGUMENT),
    ):
        with pytest.raises(GRPCError) as caught:
            await access.list_user_locals(request)
        assert caught.value.status is status


async def test_an_explanation_has_every_condition(access: AccessServiceStub) -> None:
    answer = await access.explain_access(
        ExplainAccessRequest(user_id="u1", organization_id="o1", local_id="l9")
    )

    assert answer.reason == Reason["UNKNOWN_LOCAL"]
    assert answer.holds == [True, True, True, True, True, False, False, False]
    assert answer.reasons[-1] == Reason["NOT_ASSIGNED"]
    assert answer.conditions[0] == "user exists"
