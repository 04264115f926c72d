"""Auth's sessions over a real database, with light passwords and clocks that stand still.

`replica` is another Auth process: it answers from memory under its lease, and learns of changes
when it is told to, as the follower would tell it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import ASGIApp

from authsvc.access import UserRecord
from authsvc.audit import OPERATOR, SYSTEM
from authsvc.checks import Checks
from authsvc.key_pairs import Algorithm
from authsvc.key_rotation import KeyRotation
from authsvc.key_schedule import KeyRules
from authsvc.keys import Keys
from authsvc.knowledge import Knowledge
from authsvc.model import Entity, Organization, Role, User
from authsvc.passwords import PasswordCost, Passwords
from authsvc.refusals import Refusals
from authsvc.rest_auth import SessionsRest
from authsvc.service import AuthService
from authsvc.session_rules import SessionRules
from authsvc.sessions import Sessions
from authsvc.store import Administration, LoginStore, SessionStore, Store, Strangers
from authsvc.store.schema import audit
from authsvc.tokens import TokenRules
from svckit.database import open_database
from svckit.rest import rest_app
from tests.asgi import HttpAnswer, ask

__all__ = [
    "SessionsAtHand",
    "sessions_at_hand",
    "NOW",
    "LIGHT",
    "ANA",
    "BEA",
    "PASSWORD",
    "RULES",
    "TTL_S",
]

NOW = 1_800_000_000.0
TTL_S = 600
LIGHT = PasswordCost(memory_kib=8, passes=1)
RULES = SessionRules(ttl_s=30 * 86_400, idle_s=7 * 86_400)
PASSWORD = "correct horse battery"
ANA = User(id="ana", organization_id="acme", email="Ana@Acme.test", roles=frozenset({"r"}))
BEA = User(id="bea", organization_id="bazar", email="bea@bazar.test")
WORLD: tuple[Entity, ...] = (
    Organization(id="acme", name="Acme"),
    Organization(id="bazar", name="Bazar"),
    Role(id="r", organization_id="acme", name="R", permissions=frozenset({"catalog:read"})),
    ANA,
    BEA,
)


class SessionsAtHand:
    """`now` is the wall clock of both processes, `lease_now` what leases are counted by."""

    def __init__(self, engine: AsyncEngine, *, rules: SessionRules, cost: PasswordCost) -> None:
        self.engine = engine
        self.now = NOW
        self.lease_now = 1000.0
        self.store = Store(engine, wall_clock=lambda: self.now)
        self.strangers = Strangers(engine)
        self.session_store = SessionStore(
            engine, rules=rules, strangers=self.strangers, wall_clock=lambda: self.now
        )
        self.logins = LoginStore(
            engine,
            rules=rules,
            strangers=self.strangers,
            wall_clock=lambda: self.now,
            clock=lambda: self.lease_now,
        )
        self.passwords = Passwords(cost)
        self.rotation = KeyRotation(
            self.store,
            rules=KeyRules(token_ttl_s=TTL_S),
            algorithm=Algorithm.ES256,
            wall_clock=lambda: self.now,
        )
        self.service = self._service(Knowledge(records_weight_max=1_000))
        self.known = Knowledge(records_weight_max=1_000)
        self.replica = self._service(self.known)
        self.logged = structlog.testing.CapturingLogger()
        self.sessions = Sessions(
            store=self.session_store,
            logins=self.logins,
            service=self.service,
            passwords=self.passwords,
            log=structlog.wrap_logger(self.logged, processors=[], cache_logger_on_first_use=True),
        )
        administration = Administration(engine, wall_clock=lambda: self.now)
        refusals = Refusals(administration, clock=lambda: self.lease_now)
        self.rest = SessionsRest(self.service, self.sessions, refusals, refusal_s=0)
        self.app: ASGIApp = rest_app(self.rest.endpoints(), report_bug=str, timeout_s=5)

    def _service(self, knowledge: Knowledge) -> AuthService:
        clock = lambda: self.lease_now  # noqa: E731 # one clock for all
        return AuthService(
            store=self.store,
            checks=Checks(store=self.store, knowledge=knowledge, clock=clock),
            keys=Keys(
                self.store,
                freshness=knowledge.freshness,
                clock=clock,
                wall_clock=lambda: self.now,
            ),
            rules=TokenRules(issuer="portero", audience="portero", ttl_s=TTL_S),
            wall_clock=lambda: self.now,
        )

    async def follow(self) -> None:
        """The replica reads the feed once."""
        asked_at = self.known.freshness.position()
        page = await self.store.read_changes(
            database_id=asked_at.database_id, after=asked_at.revision
        )
        self.known.learn(page, asked_at=asked_at, read_started_at=self.lease_now)

    async def log_in(
        self,
        *,
        email: str = "ana@acme.test",
        password: str = PASSWORD,
        organization_id: str = "acme",
    ) -> HttpAnswer:
        body = {"organization_id": organization_id, "email": email, "password": password}
        return await self.post("login", body)

    async def start(self) -> Any:
        """What a login of Ana's brings."""
        answer = await self.log_in()
        assert answer.status == 200, answer.body
        return answer.json()

    async def refresh(self, refresh_token: str) -> HttpAnswer:
        return await self.post("refresh", {"refresh_token": refresh_token})

    async def post(self, what: str, body: Any = None, *, token: str | None = None) -> HttpAnswer:
        return await self.ask("POST", what, token=token, body=body)

    async def ask(
        self, method: str, what: str, *, token: str | None = None, body: Any = None
    ) -> HttpAnswer:
        headers = {} if body is None else {"content-type": "application/json"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        chunks = [] if body is None else [msgspec.json.encode(body)]
        return await ask(self.app, method, f"/api/v1/auth/{what}", body=chunks, headers=headers)

    async def user(self, user_id: str = "ana") -> UserRecord:
        page = await self.store.read_access(
            user_ids={user_id}, organization_ids=(), local_ids=(), database_id="", after=0
        )
        record = page.users[user_id]
        assert record is not None
        return record

    async def audited(self) -> list[Any]:
        """The rows of the audit log but for those of the set-up, oldest first."""
        rows = select(audit).where(audit.c.actor_kind != SYSTEM.kind).order_by(audit.c.id)
        async with self.engine.connect() as connection:
            return list((await connection.execute(rows)).all())


@asynccontextmanager
async def sessions_at_hand(
    url: str, *, rules: SessionRules = RULES, cost: PasswordCost = LIGHT
) -> AsyncIterator[SessionsAtHand]:
    """On a database with the schema: Ana and Bea, and Ana has a password."""
    engine = open_database(url)
    at_hand = SessionsAtHand(engine, rules=rules, cost=cost)
    try:
        await at_hand.rotation.start()
        assert await at_hand.store.put_each(WORLD, by=SYSTEM) == ()
        at_hand.now -= 60  # long enough ago
        await at_hand.sessions.set_password("ana", PASSWORD, by=OPERATOR)
        at_hand.now += 60
        yield at_hand
    finally:
        at_hand.passwords.close()
        await engine.dispose()
