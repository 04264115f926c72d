"""Auth's service over a store in memory that knows one user, and the facts a test puts there."""

from authsvc.decision import AccessFacts, PermissionFacts
from authsvc.keys import Keys
from authsvc.model import LocalQuery, Status
from authsvc.service import AuthService
from authsvc.tokens import TokenRules
from tests.fakes import FakeStore

__all__ = ["NOW", "QUERY", "ServiceAtHand", "access_facts", "permission_facts"]

NOW = 1_800_000_000.0
QUERY = LocalQuery(user_id="u1", organization_id="o1", local_id="l1")


def access_facts(*, is_assigned: bool) -> AccessFacts:
    return AccessFacts(
        user_status=Status.ACTIVE,
        organization_status=Status.ACTIVE,
        is_member=True,
        local_status=Status.ACTIVE,
        local_name="Centro",
        is_assigned=is_assigned,
    )


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


class ServiceAtHand:
    """The service, its store with user u1 of o1 in it, and `now`, the clock it reads."""

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
        """Of u1."""
        await self.keys.make_first(wall_now=self.now)
        return await self.service.issue_token("u1")
