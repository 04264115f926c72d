"""One command's work on the database, from settings to the end of the event loop."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import make_url

from authsvc.backend import Backend, open_backend
from authsvc.settings import PREFIX, AuthSettings
from svckit.service import StartError
from svckit.settings import read_settings
from svckit.sqlite import DRIVER as SQLITE

__all__ = ["run", "run_on_any", "settings_from_environment"]

T = TypeVar("T")


def settings_from_environment() -> AuthSettings:
    """Raises SettingsError."""
    return read_settings(AuthSettings, PREFIX, os.environ)


def run(work: Callable[[Backend], Awaitable[T]]) -> T:
    """On a database that exists. Raises StartError and ServiceError, which become one line."""
    settings = settings_from_environment()
    url = make_url(settings.database_url)
    if url.drivername == SQLITE and url.database and not Path(url.database).exists():
        # Most likely another folder than the one meant: `var/auth.db` is looked for in this one.
        raise StartError(f"there is no database at {url.database}; AUTH_DATABASE_URL names it")
    return asyncio.run(_in_backend(settings, work))


def run_on_any(work: Callable[[Backend], Awaitable[T]]) -> T:
    """As `run`, on a database that is made when it is not there."""
    return asyncio.run(_in_backend(settings_from_environment(), work))


async def _in_backend(settings: AuthSettings, work: Callable[[Backend], Awaitable[T]]) -> T:
    async with open_backend(settings) as backend:
        return await work(backend)
