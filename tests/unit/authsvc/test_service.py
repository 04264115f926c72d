"""What Auth does for those who ask, over a store in memory."""

import pytest

from authsvc.decision import AccessFacts, PermissionFacts, Reason, Verdict
from authsvc.keys import Keys
from authsvc.model import LocalQuery, Status
from authsvc.service import AuthService, Identity
from authsvc.tokens import BadToken, TokenRules
from svckit.errors import InvalidRequest, NotFound, Unavailable
from tests.fakes import FakeStore

NOW = 1_800_000_000.0
QUERY = LocalQuery(user_id="u1", organization_id="o1", local_id="l1")


def permission_facts(
    *,
    organization_id: str = "o1",
    user: Status = Status.ACTIVE,
    organization: Status = Status.ACTIVE,
) -> PermissionFacts:
    return PermissionFacts(
        organization_id=organization_id,
        user_status=user,
        organization_status=organization,
        role_permissions=frozenset({"catalog:read", "catalog:edit"}),
    )


class Setting:
    """The service, its store and the wall clock it reads."""

    def __init__(self) -> None:
        self.now = NOW
        self.store = FakeStore()
        self.store.permissions["u1"] = permission_facts()
        self.keys = Keys(self.store, clock=lambda: self.now)
        self.service = AuthService(
            store=self.store,
            keys=self.keys,
            rules=TokenRules(issuer="portero", audience="portero", ttl_s=600),
            wall_clock=lambda: self.now,
        )

    async def token(self) -> str:
        await self.keys.make_first(wall_now=self.now)
        return await self.service.issue_token("u1")


def access_facts(*, is_assigned: bool) -> AccessFacts:
    return AccessFacts(
        user_status=Status.ACTIVE,
        organization_status=Status.ACTIVE,
        is_member=True,
        local_status=Status.ACTIVE,
        local_name="Centro",
        is_assigned=is_assigned,
    )


async def test_a_question_is_decided_by_what_the_store_knows() -> None:
    a = Setting()
    a.store.access[QUERY] = access_facts(is_assigned=True)
    assert await a.service.validate_local(QUERY) == Verdict(
        reason=Reason.ALLOWED, local_name="Centro"
    )

    a.store.access[QUERY] = access_facts(is_assigned=False)
    assert await a.service.validate_local(QUERY) == Verdict(reason=Reason.NOT_ASSIGNED)


async def test_a_store_that_is_down_is_a_failure_and_never_a_denial() -> None:
    a = Setting()
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
    a = Setting()
    a.store.access[QUERY] = access_facts(is_assigned=False)

    verdict, findings = await a.service.explain(QUERY)

    assert verdict.reason is Reason.NOT_ASSIGNED
    assert [finding.reason for finding in findings if not finding.holds] == [Reason.NOT_ASSIGNED]


async def test_permissions_are_sorted() -> None:
    assert await Setting().service.user_permissions("u1") == ("catalog:edit", "catalog:read")


async def test_permissions_of_an_inactive_user_are_none() -> None:
    a = Setting()
    a.store.permissions["u1"] = permission_facts(user=Status.INACTIVE)

    assert await a.service.user_permissions("u1") == ()


async def test_an_unknown_user_is_not_found() -> None:
    a = Setting()

    with pytest.raises(NotFound, match="no such user"):
        await a.service.user_permissions("u2")
    with pytest.raises(NotFound, match="no such user"):
        await a.service.issue_token("u2")


async def test_an_id_that_is_no_id_is_refused_before_the_store_is_asked() -> None:
    a = Setting()
    a.store.is_down = True

    with pytest.raises(InvalidRequest, match="user_id is empty"):
        await a.service.user_permissions("")
    with pytest.raises(InvalidRequest, match="user_id is empty"):
        await a.service.issue_token("")


async def test_an_issued_token_speaks_for_its_user_until_it_expires() -> None:
    a = Setting()
    token = await a.token()

    assert await a.service.verify_token(token) == Identity(
        user_id="u1", organization_id="o1", permissions=("catalog:edit", "catalog:read")
    )
    a.now += 605
    with pytest.raises(BadToken, match="token expired"):
        await a.service.verify_token(token)


async def test_no_two_tokens_are_the_same() -> None:
    a = Setting()

    assert await a.token() != await a.token()


async def test_a_token_brings_the_permissions_of_now_not_those_of_its_issue() -> None:
    a = Setting()
    token = await a.token()
    a.store.permissions["u1"] = PermissionFacts(
        organization_id="o1",
        user_status=Status.ACTIVE,
        organization_status=Status.ACTIVE,
        role_permissions=frozenset(),
    )

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
    a = Setting()
    token = await a.token()
    a.store.permissions.pop("u1")
    if facts is not None:
        a.store.permissions["u1"] = facts

    with pytest.raises(BadToken, match=r"^user not active$"):
        await a.service.verify_token(token)


@pytest.mark.parametrize("token", ["", "a.b.c", "\ud800", "x" * 10_000])
async def test_text_that_is_no_token_is_bad_without_asking_the_store(token: str) -> None:
    a = Setting()
    a.store.is_down = True

    with pytest.raises(BadToken, match=r"^malformed token$"):
        await a.service.verify_token(token)
    assert a.store.reads == 0
