"""Auth's service over a store in memory, in which one user works at one local of two."""

from authsvc.checks import Checks
from authsvc.key_pairs import Algorithm
from authsvc.key_rotation import KeyRotation
from authsvc.key_schedule import KeyRules
from authsvc.keys import Keys
from authsvc.knowledge import Knowledge
from authsvc.model import LocalQuery
from authsvc.service import AuthService
from authsvc.tokens import TokenRules
from tests.fakes import FakeStore

__all__ = ["NOW", "QUERY", "ServiceAtHand"]

NOW = 1_800_000_000.0
QUERY = LocalQuery(user_id="u1", organization_id="o1", local_id="l1")


class ServiceAtHand:
    """u1 of o1 may enter l1 and not l2. Each clock stands still until a test moves it.

    Nobody follows the store, so each question is a read of it.
    """

    def __init__(self) -> None:
        self.now = NOW
        self.lease_now = 1000.0
        self.store = FakeStore()
        self.store.put_organization()
        self.store.put_local("l1")
        self.store.put_local("l2", name="Norte")
        self.put_user()
        self.knowledge = Knowledge(records_weight_max=1_000)
        self.keys = Keys(
            self.store,
            freshness=self.knowledge.freshness,
            clock=lambda: self.lease_now,
            wall_clock=lambda: self.now,
        )
        self.rotation = KeyRotation(
            self.store,
            rules=KeyRules(token_ttl_s=600),
            algorithm=Algorithm.ES256,
            wall_clock=lambda: self.now,
        )
        self.service = AuthService(
            store=self.store,
            checks=Checks(store=self.store, knowledge=self.knowledge, clock=lambda: self.lease_now),
            keys=self.keys,
            rules=TokenRules(issuer="portero", audience="portero", ttl_s=600),
            wall_clock=lambda: self.now,
        )

    def put_user(
        self,
        *,
        organization_id: str = "o1",
        is_active: bool = True,
        permissions: tuple[str, ...] = ("catalog:edit", "catalog:read"),
    ) -> None:
        self.store.put_user(
            "u1",
            organization_id,
            locals_={"l1"},
            permissions=permissions,
            is_active=is_active,
        )

    def follow(self) -> None:
        """Learns what the store says now; that is good for as long as the lease."""
        at = self.knowledge.freshness.position()
        page = self.store.page_since(at.database_id, at.revision)
        assert self.knowledge.learn(page, asked_at=at, read_started_at=self.lease_now)

    async def token(self) -> str:
        """Of u1."""
        await self.rotation.start()
        return await self.service.issue_token("u1")
