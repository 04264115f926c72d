"""What strangers may take of the database: those who log in or refresh, and have shown nothing yet.

The connections are few, and changes, probes, checks and administrators need them as well. So of
strangers a few may read at once, some more wait for their turn, and one may write: with the only
write lock to wait for, a second one would do nothing but hold a connection.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from authsvc.places import Places
from authsvc.store.commit import WRITE_LOCK
from svckit.database import writing

__all__ = ["Strangers"]

READING_MAX = 4
# Those who wait for it included: everyone logs in at nine.
PLACES_MAX = 32
PLACES_PER_NETWORK_MAX = 8


class Strangers:
    """Shared by all that serve strangers from `engine`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()
        self._reading = asyncio.Semaphore(READING_MAX)
        self._places = Places(
            places_max=PLACES_MAX,
            per_network_max=PLACES_PER_NETWORK_MAX,
            refusal="too many logins and refreshes at once",
        )

    @asynccontextmanager
    async def place(self, network: str) -> AsyncIterator[None]:
        """To be taken before a connection is. Raises Overloaded; waits as long as its caller."""
        with self._places.place(network):
            async with self._reading:
                yield

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """As `svckit.database.writing`. Only for whoever has a place, here or for a password."""
        async with self._turn, writing(self._engine, lock=WRITE_LOCK) as connection:
            yield connection
