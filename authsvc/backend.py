"""Auth without its wires: the store, the keys and the service over them, opened as one.

The server and the command line both stand on it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.checks import Checks
from authsvc.keys import Keys
from authsvc.knowledge import Knowledge
from authsvc.migrations import MIGRATIONS
from authsvc.service import AuthService
from authsvc.settings import AuthSettings
from authsvc.store import Store
from authsvc.tokens import TokenRules
from svckit.database import open_database
from svckit.database_errors import naming, start_failures
from svckit.lease_clock import lease_clock
from svckit.migrations import migrate

__all__ = ["Backend", "open_backend"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """`knowledge` is empty, and each answer a read, until someone follows the database for it."""

    engine: AsyncEngine
    store: Store
    knowledge: Knowledge
    service: AuthService


@asynccontextmanager
async def open_backend(settings: AuthSettings) -> AsyncIterator[Backend]:
    """Migrates if so set, and makes the first signing key. Raises DatabaseError."""
    with naming("AUTH_DATABASE_URL"):
        if settings.migrate_on_start:
            await migrate(settings.database_url, MIGRATIONS)
        engine = open_database(settings.database_url)
    try:
        store = Store(engine)
        keys = Keys(store, clock=asyncio.get_running_loop().time)
        with naming("AUTH_DATABASE_URL"), start_failures(engine.url):
            await keys.make_first(wall_now=time.time())
        rules = TokenRules(
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            ttl_s=settings.token_ttl_s,
        )
        knowledge = Knowledge(records_weight_max=settings.records_max)
        checks = Checks(store=store, knowledge=knowledge, clock=lease_clock)
        service = AuthService(
            store=store,
            checks=checks,
            keys=keys,
            rules=rules,
            wall_clock=time.time,
        )
        try:
            yield Backend(engine=engine, store=store, knowledge=knowledge, service=service)
        finally:
            await checks.close()
    finally:
        await engine.dispose()
