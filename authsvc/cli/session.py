"""One command's work on the database, from settings to the end of the event loop."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from authsvc.backend import Backend, open_backend
from authsvc.settings import PREFIX, AuthSettings
from svckit.settings import read_settings

__all__ = ["run", "settings_from_environment"]

T = TypeVar("T")


def settings_from_environment() -> AuthSettings:
    """Raises SettingsError."""
    return read_settings(AuthSettings, PREFIX, os.environ)


def run(work: Callable[[Backend], Awaitable[T]]) -> T:
    """Raises StartError and ServiceError, which `main` turns into one line."""

    async def in_backend() -> T:
        async with open_backend(settings_from_environment()) as backend:
            return await work(backend)

    return asyncio.run(in_backend())
