"""Auth without its wires: the store, the keys and the service over them, opened as one.

The server and the command line both stand on it.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.checks import Checks
from authsvc.key_rotation import KeyRotation
from authsvc.key_schedule import KeyRules
from authsvc.keys import KEPT_S, Keys
from authsvc.knowledge import Knowledge
from authsvc.migrations import MIGRATIONS
from authsvc.passwords import Passwords
from authsvc.service import AuthService
from authsvc.session_rules import SessionRules
from authsvc.sessions import Sessions
from authsvc.settings import AuthSettings
from authsvc.store import Administration, LoginStore, SessionStore, Store, Strangers
from authsvc.tokens import TokenRules
from svckit.database import DatabaseLimits, open_database
from svckit.database_errors import naming, start_failures
from svckit.lease_clock import lease_clock
from svckit.migrations import migrate

__all__ = ["Backend", "open_backend"]

# One connection for the follower, one for the probe.
WATCHING = DatabaseLimits(pool_size=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """`knowledge` is empty, and each answer a read, until someone follows the database for it."""

    engine: AsyncEngine
    store: Store
    # With connections of its own, for what must go on however many ask: the follower and the probe.
    watching_engine: AsyncEngine
    watching_store: Store
    knowledge: Knowledge
    keys: Keys
    rotation: KeyRotation
    service: AuthService
    sessions: Sessions
    administration: Administration


@asynccontextmanager
async def open_backend(settings: AuthSettings) -> AsyncIterator[Backend]:
    """Migrates if so set, and makes the first signing key. Raises DatabaseError, SettingsError."""
    with naming("AUTH_DATABASE_URL"):
        if settings.migrate_on_start:
            await migrate(settings.database_url, MIGRATIONS)
        engine = open_database(settings.database_url)
        watching_engine = open_database(settings.database_url, limits=WATCHING)
    passwords = Passwords()
    try:
        store = Store(engine)
        rules = TokenRules(
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            ttl_s=settings.token_ttl_s,
        )
        rotation = _rotation(settings, store, rules)
        with naming("AUTH_DATABASE_URL"), start_failures(engine.url):
            await rotation.start()
        knowledge = Knowledge(records_weight_max=settings.records_max)
        checks = Checks(store=store, knowledge=knowledge, clock=lease_clock)
        keys = Keys(
            store,
            freshness=knowledge.freshness,
            clock=lease_clock,
            wall_clock=time.time,
            secret=settings.key_secret,
        )
        service = AuthService(
            store=store,
            checks=checks,
            keys=keys,
            rules=rules,
            wall_clock=time.time,
        )
        session_rules = SessionRules(ttl_s=settings.session_ttl_s, idle_s=settings.session_idle_s)
        strangers = Strangers(engine)
        sessions = Sessions(
            store=SessionStore(engine, rules=session_rules, strangers=strangers),
            logins=LoginStore(engine, rules=session_rules, strangers=strangers),
            service=service,
            passwords=passwords,
            # Bound when first used: whoever only exports may have closed standard output.
            log=structlog.get_logger(service="auth"),
        )
        try:
            yield Backend(
                engine=engine,
                store=store,
                watching_engine=watching_engine,
                watching_store=Store(watching_engine),
                knowledge=knowledge,
                keys=keys,
                rotation=rotation,
                service=service,
                sessions=sessions,
                administration=Administration(engine),
            )
        finally:
            await checks.close()
    finally:
        passwords.close()
        await engine.dispose()
        await watching_engine.dispose()


def _rotation(settings: AuthSettings, store: Store, rules: TokenRules) -> KeyRotation:
    return KeyRotation(
        store,
        rules=KeyRules(
            token_ttl_s=rules.ttl_s,
            leeway_s=rules.leeway_s,
            rotation_s=settings.key_rotation_s,
            kept_s=KEPT_S,
        ),
        algorithm=settings.key_algorithm,
        wall_clock=time.time,
        secret=settings.key_secret,
        old_secret=settings.key_secret_old,
    )
