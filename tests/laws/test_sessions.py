"""Law of sessions: no order of events makes a token good again, or keeps one good, after its end.

Over the real store and two Auth processes: one reads the database for each answer, the other
answers from memory under its lease, and learns of what happened when it reads the feed.
"""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import jwt
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
from authsvc.model import Status
from authsvc.session_rules import SessionRules
from authsvc.sessions import Started
from authsvc.tokens import BadToken
from svckit.errors import Forbidden, NotFound, Unauthenticated
from svckit.migrations import migrate
from tests.sessions_at_hand import ANA, PASSWORD, TTL_S, SessionsAtHand, sessions_at_hand

RULES = SessionRules(ttl_s=7200, idle_s=3000, per_user_max=3)
LEEWAY_S = 5
NETWORK = "192.0.2.7"


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
    created_at: float
    current: str
    expires_at: int
    is_over: bool = False


@dataclass(slots=True, kw_only=True, eq=False)
class Issued:
    """An access token; it belongs to no session when `life` is None. Dead is for good."""

    text: str = field(repr=False)
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
        self.is_active = True

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
        self.run(self.a.follow())

    @rule(target=refresh_tokens)
    def log_in(self) -> Any:
        try:
            started = self.run(
                self.a.sessions.log_in(
                    organization_id="acme", email=ANA.email, password=PASSWORD, network=NETWORK
                )
            )
        except Unauthenticated:
            assert not self.is_active
            return multiple()
        assert self.is_active
        life = Life(
            id=started.session.id,
            created_at=self.a.now,
            current=started.refresh_token,
            expires_at=started.session.expires_at,
        )
        self.lives.append(life)
        stored = self.run(self.a.user()).sessions
        for other in self.lives:
            if other.id not in stored:
                self.end(other)
        assert len(stored) <= RULES.per_user_max
        assert life.id in stored
        self.note(started, life)
        return (life, life.current)

    @rule(target=refresh_tokens, used=consumes(refresh_tokens))
    def refresh(self, used: tuple[Life, str]) -> Any:
        """With the current token of a session, or with one that was used before."""
        life, text = used
        goes_on = (
            not life.is_over
            and text == life.current
            and self.is_active
            and self.a.now < life.expires_at
        )
        try:
            started = self.run(self.a.sessions.refresh(text, network=NETWORK))
        except Unauthenticated:
            assert not goes_on
            if text != life.current:
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
            self.run(self.a.sessions.end("ana", life.id, by=OPERATOR, reason="ended"))
        except NotFound:
            assert life.is_over
        self.end(life)

    @rule()
    def issue_without_a_session(self) -> None:
        if self.is_active:
            text = self.run(self.a.service.issue_token("ana"))
            self.issued.append(Issued(text=text, life=None))

    @rule(status=st.sampled_from(Status))
    def set_status(self, status: Status) -> None:
        self.run(self.a.store.put_each([replace(ANA, status=status)], by=OPERATOR))
        if status is Status.INACTIVE and self.is_active:
            self.shut_out()
        self.is_active = status is Status.ACTIVE

    @rule()
    def set_password(self) -> None:
        self.run(self.a.sessions.set_password("ana", PASSWORD, by=OPERATOR))
        self.shut_out()

    @rule(used=refresh_tokens)
    def change_password(self, used: tuple[Life, str]) -> None:
        life, _ = used
        try:
            token = self.run(
                self.a.sessions.change_password(
                    "ana", life.id, current=PASSWORD, new=PASSWORD, network=NETWORK
                )
            )
        except (NotFound, Forbidden):
            assert life.is_over or not self.is_active or self.a.now >= life.expires_at
            return
        assert self.is_active
        self.shut_out(kept=life)
        self.issued.append(Issued(text=token.text, life=life))

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
        assert is_good == (self.is_active and not issued.is_dead and is_timely)
        is_leased = self.a.known.freshness.is_leased(self.a.lease_now)
        known_good = self.run(self.is_good(self.a.replica, issued))
        if not (is_timely and is_leased):
            assert known_good == is_good

    async def is_good(self, service: Any, issued: Issued) -> bool:
        try:
            identity = await service.verify_token(issued.text)
        except BadToken:
            return False
        assert identity.session_id == (issued.life.id if issued.life else None)
        return True

    def note(self, started: Started, life: Life) -> None:
        lifetime_s = started.access_token.lifetime_s
        assert self.a.now + lifetime_s <= started.session.expires_at
        self.issued.append(Issued(text=started.access_token.text, life=life))

    def end(self, life: Life) -> None:
        life.is_over = True
        for issued in self.issued:
            issued.is_dead |= issued.life is life

    def shut_out(self, *, kept: Life | None = None) -> None:
        for issued in self.issued:
            issued.is_dead = True
        for life in self.lives:
            life.is_over |= life is not kept


SessionsMachine.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestSessions = SessionsMachine.TestCase
