"""What Auth does for those who ask, over a store in memory."""

from dataclasses import replace

import pytest

from authsvc.decision import PermissionFacts, Reason, Verdict
from authsvc.model import Status
from authsvc.service import Identity
from authsvc.tokens import BadToken
from svckit.errors import InvalidRequest, NotFound, Unavailable
from tests.unit.authsvc.service_at_hand import QUERY, ServiceAtHand, access_facts, permission_facts


async def test_a_question_is_decided_by_what_the_store_knows() -> None:
    a = ServiceAtHand()
    a.store.access[QUERY] = access_facts(is_assigned=True)
    assert await a.service.validate_local(QUERY) == Verdict(
        reason=Reason.ALLOWED, local_name="Centro"
    )

    a.store.access[QUERY] = access_facts(is_assigned=False)
    assert await a.service.validate_local(QUERY) == Verdict(reason=Reason.NOT_ASSIGNED)


async def test_a_store_that_is_down_is_a_failure_and_never_a_denial() -> None:
    a = ServiceAtHand()
    token = await a.token()
    a.store.is_down = True

    with pytest.raises(Unavailable):
        await a.service.validate_local(QUERY)
    with pytest.raises(Unavailable):
        await a.service.explain(QUERY)
    with pytest.raises(Unavailable):
        await a.service.verify_token(token)
    with pytest.raises(Unavailable):
        await a.service.user_permissions("u1")
    with pytest.raises(Unavailable):
        await a.service.issue_token("u1")


async def test_an_explanation_comes_with_its_verdict() -> None:
    a = ServiceAtHand()
    a.store.access[QUERY] = access_facts(is_assigned=False)

    verdict, findings = await a.service.explain(QUERY)

    assert verdict.reason is Reason.NOT_ASSIGNED
    assert [finding.reason for finding in findings if not finding.holds] == [Reason.NOT_ASSIGNED]


async def test_permissions_are_sorted() -> None:
    assert await ServiceAtHand().service.user_permissions("u1") == ("catalog:edit", "catalog:read")


async def test_permissions_of_an_inactive_user_are_none() -> None:
    a = ServiceAtHand()
    a.store.permissions["u1"] = permission_facts(user=Status.INACTIVE)

    assert await a.service.user_permissions("u1") == ()


async def test_an_unknown_user_is_not_found() -> None:
    a = ServiceAtHand()

    with pytest.raises(NotFound, match="no such user"):
        await a.service.user_permissions("u2")
    with pytest.raises(NotFound, match="no such user"):
        await a.service.issue_token("u2")


async def test_an_id_that_is_no_id_is_refused_before_the_store_is_asked() -> None:
    a = ServiceAtHand()
    a.store.is_down = True

    with pytest.raises(InvalidRequest, match="user_id is empty"):
        await a.service.user_permissions("")
    with pytest.raises(InvalidRequest, match="user_id is empty"):
        await a.service.issue_token("")


async def test_an_issued_token_speaks_for_its_user_until_it_expires() -> None:
    a = ServiceAtHand()
    token = await a.token()

    assert await a.service.verify_token(token) == Identity(
        user_id="u1", organization_id="o1", permissions=("catalog:edit", "catalog:read")
    )
    a.now += 605
    with pytest.raises(BadToken, match="token expired"):
        await a.service.verify_token(token)


async def test_no_two_tokens_are_the_same() -> None:
    a = ServiceAtHand()

    assert await a.token() != await a.token()


async def test_a_token_brings_the_permissions_of_now_not_those_of_its_issue() -> None:
    a = ServiceAtHand()
    token = await a.token()
    a.store.permissions["u1"] = replace(permission_facts(), role_permissions=frozenset())

    assert (await a.service.verify_token(token)).permissions == ()


@pytest.mark.parametrize(
    "facts",
    [
        None,
        permission_facts(user=Status.INACTIVE),
        permission_facts(organization=Status.INACTIVE),
        permission_facts(organization_id="o2"),
    ],
    ids=["gone", "inactive", "organization suspended", "in another organization"],
)
async def test_a_token_is_bad_once_its_user_is(facts: PermissionFacts | None) -> None:
    a = ServiceAtHand()
    token = await a.token()
    a.store.permissions.pop("u1")
    if facts is not None:
        a.store.permissions["u1"] = facts

    with pytest.raises(BadToken, match=r"^user not active$"):
        await a.service.verify_token(token)


@pytest.mark.parametrize("token", ["", "a.b.c", "\ud800", "x" * 10_000])
async def test_text_that_is_no_token_is_bad_without_asking_the_store(token: str) -> None:
    a = ServiceAtHand()
    a.store.is_down = True

    with pytest.raises(BadToken, match=r"^malformed token$"):
        await a.service.verify_token(token)
    assert a.store.reads == 0
