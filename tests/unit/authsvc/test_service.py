"""What Auth does for those who ask, over a store in memory."""

import asyncio
from dataclasses import replace

import pytest

from authsvc.as_of import AsOf
from authsvc.decision import Reason, Verdict
from authsvc.service import Identity, Permissions
from authsvc.tokens import BadToken, key_id
from svckit.errors import InvalidRequest, NotFound, Unavailable
from tests.unit.authsvc.service_at_hand import NOW, QUERY, ServiceAtHand


async def test_a_question_is_decided_by_what_the_store_knows() -> None:
    a = ServiceAtHand()

    allowed = await a.service.validate_local(QUERY)
    denied = await a.service.validate_local(replace(QUERY, local_id="l2"))

    assert allowed == Verdict(reason=Reason.ALLOWED, local_name="Centro")
    assert denied == Verdict(reason=Reason.NOT_ASSIGNED)


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

    explanation = await a.service.explain(replace(QUERY, local_id="l2"))

    assert explanation.verdict.reason is Reason.NOT_ASSIGNED
    failed = [finding.reason for finding in explanation.findings if not finding.holds]
    assert failed == [Reason.NOT_ASSIGNED]
    assert explanation.as_of.revision == a.store.revision


async def test_permissions_say_whose_they_are_and_as_of_when() -> None:
    a = ServiceAtHand()

    assert await a.service.user_permissions("u1") == Permissions(
        organization_id="o1",
        permissions=("catalog:edit", "catalog:read"),
        as_of=AsOf(database_id="d1", revision=a.store.revision, age_s=0.0),
    )


async def test_permissions_of_an_inactive_user_are_none() -> None:
    a = ServiceAtHand()
    a.put_user(is_active=False)

    assert (await a.service.user_permissions("u1")).permissions == ()


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
        user_id="u1",
        organization_id="o1",
        permissions=("catalog:edit", "catalog:read"),
        expires_at=int(NOW) + 600,
        as_of=AsOf(database_id="d1", revision=a.store.revision, age_s=0.0),
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
    a.put_user(permissions=())

    assert (await a.service.verify_token(token)).permissions == ()


async def test_a_token_is_bad_once_its_user_is_gone() -> None:
    a = ServiceAtHand()
    token = await a.token()
    del a.store.users["u1"]

    with pytest.raises(BadToken, match=r"^user not active$"):
        await a.service.verify_token(token)


async def test_a_token_is_bad_once_its_user_is_not_active() -> None:
    a = ServiceAtHand()
    token = await a.token()
    a.put_user(is_active=False)

    with pytest.raises(BadToken, match=r"^user not active$"):
        await a.service.verify_token(token)


async def test_a_token_is_bad_while_its_organization_is_suspended() -> None:
    a = ServiceAtHand()
    token = await a.token()
    a.store.put_organization(is_active=False)

    with pytest.raises(BadToken, match=r"^user not active$"):
        await a.service.verify_token(token)


async def test_a_token_is_bad_for_a_user_of_another_organization() -> None:
    a = ServiceAtHand()
    token = await a.token()
    a.store.put_organization("o2")
    a.put_user(organization_id="o2")

    with pytest.raises(BadToken, match=r"^user not active$"):
        await a.service.verify_token(token)


@pytest.mark.parametrize("token", ["", "a.b.c", "\ud800", "x" * 10_000])
async def test_text_that_is_no_token_is_bad_without_asking_the_store(token: str) -> None:
    a = ServiceAtHand()
    a.store.is_down = True

    with pytest.raises(BadToken, match=r"^malformed token$"):
        await a.service.verify_token(token)
    assert a.store.reads == 0


async def test_a_list_is_told_in_pages_that_leave_out_and_repeat_nothing() -> None:
    a = ServiceAtHand()
    a.store.put_user("u1", locals_={"l1", "l2"})

    first, token = await a.service.list_user_locals("u1", page_size=1, page_token="")
    second, end = await a.service.list_user_locals("u1", page_size=1, page_token=token)

    assert (first.rows, second.rows, end) == ((("l1", "Centro"),), (("l2", "Norte"),), "")
    assert first.revision == a.store.revision


async def test_the_users_of_a_local_are_told_in_pages() -> None:
    a = ServiceAtHand()
    a.store.put_user("u2", locals_={"l1"})

    first, token = await a.service.list_local_users("l1", page_size=1, page_token="")
    second, end = await a.service.list_local_users("l1", page_size=0, page_token=token)

    assert (first.rows, second.rows, end) == (("u1",), ("u2",), "")


async def test_a_page_of_what_no_page_has_is_refused() -> None:
    a = ServiceAtHand()

    for page_size, page_token in ((1001, ""), (-1, ""), (1, "*"), (1, "AA")):
        with pytest.raises(InvalidRequest, match=r"^page_"):
            await a.service.list_user_locals("u1", page_size=page_size, page_token=page_token)
        with pytest.raises(InvalidRequest, match=r"^page_"):
            await a.service.list_local_users("l1", page_size=page_size, page_token=page_token)


async def test_a_token_of_a_withdrawn_key_is_a_bad_one_at_once_where_nobody_follows() -> None:
    a = ServiceAtHand()
    token = await a.token()
    assert (await a.service.verify_token(token)).user_id == "u1"

    await a.rotation.withdraw(key_id(token))

    with pytest.raises(BadToken, match=r"^unknown key$"):
        await a.service.verify_token(token)
    assert (await a.service.verify_token(await a.token())).user_id == "u1"


@pytest.mark.parametrize("is_followed", [False, True])
async def test_a_key_withdrawn_during_the_question_is_not_answered_by(is_followed: bool) -> None:
    # Else the answer would say that it knows of the withdrawal, and a client would keep it.
    a = ServiceAtHand()
    token = await a.token()
    if is_followed:
        a.follow()
    a.store.access_gate.clear()
    asking = asyncio.create_task(a.service.verify_token(token))
    async with asyncio.timeout(5):
        while not a.store.access_reads > 1:  # noqa: ASYNC110 # the first was for the token
            await asyncio.sleep(0)

    await a.rotation.withdraw(key_id(token))
    if is_followed:
        a.follow()
    a.store.access_gate.set()

    with pytest.raises(BadToken, match=r"^unknown key$"):
        await asking
