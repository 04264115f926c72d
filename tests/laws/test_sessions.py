"""Law of sessions: no order of events makes a token good again, or keeps one good, after its end.

Over the real store and two Auth processes: one reads the database for each answer, the other
answers from memory under its lease, and learns of what happened when it reads the feed.
"""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from authsvc.audit import OPERATOR
from authsvc.freshness import LEASE_S
from authsvc.migrations import MIGRATIONS
from authsvc.model import Organization, Status
from authsvc.session_rules import SessionRules
from authsvc.sessions import Started
from authsvc.tokens import BadToken
from svckit.errors import Forbidden, NotFound, Overloaded, Unauthenticated
from svckit.migrations import migrate
from tests.sessions_at_hand import ANA, BEA, PASSWORD, TTL_S, SessionsAtHand, sessions_at_hand

RULES = SessionRules(ttl_s=7200, idle_s=3000, per_user_max=3)
LEEWAY_S = 5
NETWORKS = st.sampled_from(["192.0.2.7", "198.51.100.9"])
USERS = {user.id: user for user in (ANA, BEA)}  # of two organizations
USER_IDS = st.sampled_from(sorted(USERS))


@cache
def template() -> Path:
    """A database with the schema, made once."""
    path = Path(tempfile.mkdtemp(prefix="portero-law-"), "auth.db")
    asyncio.run(migrate(f"sqlite+aiosqlite:///{path}", MIGRATIONS))
    return path


@dataclass(slots=True, kw_only=True, eq=False)
class Life:
    """What the law knows of a session."""

    id: str
    user_id: str
    created_at: float
    current: str
    expires_at: int
    is_over: bool = False

    def is_reused_by(self, text: str) -> bool:
        """One of another family is from before a change of the password, and worth nothing."""
        family, _, generation = text.partition(".")
        current_family, _, current = self.current.partition(".")
        return family == current_family and generation != current


@dataclass(slots=True, kw_only=True, eq=False)
class Issued:
    """An access token; it belongs to no session when `life` is None. Dead is for good."""

    text: str = field(repr=False)
    user_id: str
    life: Life | None
    is_dead: bool = False
    is_dead_to_replica: bool = False

    def is_timely(self, now: float) -> bool:
        """Many shut-outs within one second make the next tokens begin later than the leeway."""
        says = jwt.decode(self.text, options={"verify_signature": False})
        return bool(says["iat"] - LEEWAY_S <= now < says["exp"] + LEEWAY_S)


class SessionsMachine(RuleBasedStateMachine):
    refresh_tokens: Bundle[tuple[Life, str]] = Bundle("refresh_tokens")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="portero-law-")
        shutil.copy(template(), self.folder.name)
        self.stack = AsyncExitStack()
        url = f"sqlite+aiosqlite:///{self.folder.name}/auth.db"
        self.a: SessionsAtHand = self.run(
            self.stack.enter_async_context(sessions_at_hand(url, rules=RULES))
        )
        self.lives: list[Life] = []
        self.issued: list[Issued] = []
        self.active_users = set(USERS)
        self.active_organizations = {user.organization_id for user in USERS.values()}

    def is_active(self, user_id: str) -> bool:
        return (
            user_id in self.active_users
            and USERS[user_id].organization_id in self.active_organizations
        )

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            for issued in self.issued:
                self.check_everywhere(issued)
        finally:
            self.run(self.stack.aclose())
            self.runner.close()
            self.folder.cleanup()

    @initialize()
    def begin(self) -> None:
        self.run(self.a.sessions.set_password("bea", PASSWORD, by=OPERATOR))
        self.run(self.a.follow())

    @rule(target=refresh_tokens, user_id=USER_IDS, network=NETWORKS)
    def log_in(self, user_id: str, network: str) -> Any:
        user = USERS[user_id]
        try:
            started = self.run(
                self.a.sessions.log_in(
                    organization_id=user.organization_id,
                    email=user.email,
                    password=PASSWORD,
                    network=network,
                )
            )
        except Overloaded:
            return multiple()  # after failures; a law of its own tells when
        except Unauthenticated:
            assert not self.is_active(user_id)
            return multiple()
        assert self.is_active(user_id)
        life = Life(
            id=started.session.id,
            user_id=user_id,
            created_at=self.a.now,
            current=started.refresh_token,
            expires_at=started.session.expires_at,
        )
        self.lives.append(life)
        stored = self.run(self.a.user(user_id)).sessions
        for other in self.lives:
            if other.user_id == user_id and other.id not in stored:
                self.end(other)
        assert len(stored) <= RULES.per_user_max
        assert life.id in stored
        self.note(started, life)
        return (life, life.current)

    @rule(target=refresh_tokens, used=consumes(refresh_tokens), network=NETWORKS)
    def refresh(self, used: tuple[Life, str], network: str) -> Any:
        """With the current token of a session, or with one that was used before."""
        life, text = used
        goes_on = (
            not life.is_over
            and text == life.current
            and self.is_active(life.user_id)
            and self.a.now < life.expires_at
        )
        try:
            started = self.run(self.a.sessions.refresh(text, network=network))
        except Unauthenticated:
            assert not goes_on
            if life.is_reused_by(text):
                self.end(life)
            return (life, text)
        assert goes_on
        assert started.session.id == life.id
        life.current, life.expires_at = started.refresh_token, started.session.expires_at
        assert life.expires_at <= life.created_at + RULES.ttl_s
        self.note(started, life)
        return multiple((life, text), (life, life.current))

    @rule(used=refresh_tokens)
    def log_out(self, used: tuple[Life, str]) -> None:
        life, _ = used
        try:
            self.run(self.a.sessions.end(life.user_id, life.id, by=OPERATOR, reason="ended"))
        except NotFound:
            assert life.is_over
        self.end(life)

    @rule(used=refresh_tokens, user_id=USER_IDS)
    def another_user_ends_it(self, used: tuple[Life, str], user_id: str) -> None:
        life, _ = used
        if user_id != life.user_id:
            with suppress(NotFound):
                self.run(self.a.sessions.end(user_id, life.id, by=OPERATOR, reason="ended"))
                pytest.fail("a session that is another user's has ended")

    @rule(user_id=USER_IDS)
    def issue_without_a_session(self, user_id: str) -> None:
        if user_id in self.active_users:
            text = self.run(self.a.service.issue_token(user_id))
            self.issued.append(Issued(text=text, user_id=user_id, life=None))

    @rule(user_id=USER_IDS, status=st.sampled_from(Status))
    def set_status(self, user_id: str, status: Status) -> None:
        user = replace(USERS[user_id], status=status)
        self.run(self.a.store.put_each([user], by=OPERATOR))
        if status is Status.ACTIVE:
            self.active_users.add(user_id)
        elif user_id in self.active_users:
            self.active_users.remove(user_id)
            self.shut_out(user_id)

    @rule(user_id=USER_IDS, status=st.sampled_from(Status))
    def set_status_of_the_organization(self, user_id: str, status: Status) -> None:
        """Nothing ends by it, and nothing goes on while it lasts."""
        id_ = USERS[user_id].organization_id
        organization = Organization(id=id_, name=id_, status=status)
        self.run(self.a.store.put_each([organization], by=OPERATOR))
        if status is Status.ACTIVE:
            self.active_organizations.add(id_)
        else:
            self.active_organizations.discard(id_)

    @rule(user_id=USER_IDS)
    def set_password(self, user_id: str) -> None:
        self.run(self.a.sessions.set_password(user_id, PASSWORD, by=OPERATOR))
        self.shut_out(user_id)

    @rule(target=refresh_tokens, used=refresh_tokens, network=NETWORKS)
    def change_password(self, used: tuple[Life, str], network: str) -> Any:
        """Whoever has a refresh token from before goes on trying it."""
        life, _ = used
        try:
            started = self.run(
                self.a.sessions.change_password(
                    life.user_id, life.id, current=PASSWORD, new=PASSWORD, network=network
                )
            )
        except Overloaded:
            return multiple()
        except (NotFound, Forbidden):
            is_lapsed = self.a.now >= life.expires_at
            assert life.is_over or not self.is_active(life.user_id) or is_lapsed
            return multiple()
        assert self.is_active(life.user_id)
        self.shut_out(life.user_id, kept=life)
        life.current, life.expires_at = started.refresh_token, started.session.expires_at
        assert life.expires_at <= life.created_at + RULES.ttl_s
        self.note(started, life)
        return (life, life.current)

    @rule(seconds=st.sampled_from([1, 30, TTL_S - 1, TTL_S + 10, 1500, 3000, 7200]))
    def wait(self, seconds: int) -> None:
        self.a.now += seconds

    @rule()
    def trim(self) -> None:
        self.run(self.a.session_store.trim())
        for life in self.lives:
            if self.a.now >= life.expires_at:
                life.is_over = True

    @rule()
    def replica_reads_the_feed(self) -> None:
        """From here on all that has ended is known to have ended."""
        self.run(self.a.follow())
        for issued in self.issued:
            issued.is_dead_to_replica = issued.is_dead

    @rule()
    def replica_loses_its_lease(self) -> None:
        self.a.lease_now += LEASE_S

    @rule(data=st.data())
    def a_token_is_shown(self, data: st.DataObject) -> None:
        if self.issued:
            self.check_everywhere(data.draw(st.sampled_from(self.issued)))

    @invariant()
    def what_the_feed_has_told_to_be_over_is_refused(self) -> None:
        for issued in self.issued:
            if issued.is_dead_to_replica:
                assert not self.run(self.is_good(self.a.replica, issued)), issued

    def check_everywhere(self, issued: Issued) -> None:
        """The one that reads says exactly what is so; the other never allows what has lapsed."""
        is_good = self.run(self.is_good(self.a.service, issued))
        is_timely = issued.is_timely(self.a.now)
        is_active = self.is_active(issued.user_id)
        assert is_good == (is_active and not issued.is_dead and is_timely)
        is_leased = self.a.known.freshness.is_leased(self.a.lease_now)
        known_good = self.run(self.is_good(self.a.replica, issued))
        if not (is_timely and is_leased):
            assert known_good == is_good

    async def is_good(self, service: Any, issued: Issued) -> bool:
        try:
            identity = await service.verify_token(issued.text)
        except BadToken:
            return False
        assert identity.user_id == issued.user_id
        assert identity.session_id == (issued.life.id if issued.life else None)
        return True

    def note(self, started: Started, life: Life) -> None:
        lifetime_s = started.access_token.lifetime_s
        assert self.a.now + lifetime_s <= started.session.expires_at
        text = started.access_token.text
        self.issued.append(Issued(text=text, user_id=life.user_id, life=life))

    def end(self, life: Life) -> None:
        life.is_over = True
        for issued in self.issued:
            issued.is_dead |= issued.life is life

    def shut_out(self, user_id: str, *, kept: Life | None = None) -> None:
        for issued in self.issued:
            issued.is_dead |= issued.user_id == user_id
        for life in self.lives:
            life.is_over |= life.user_id == user_id and life is not kept


SessionsMachine.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestSessions = SessionsMachine.TestCase
