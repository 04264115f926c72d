"""The change feed of one Auth server, as the client needs it, whatever carries it."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Change", "Page", "Position", "Feed", "FeedConnection", "FeedUnsupported", "FeedRefused"]


@dataclass(frozen=True, slots=True)
class Change:
    """What one revision touched. None for a user or local means all of the organization's."""

    revision: int
    organization_id: str
    user_id: str | None = None
    local_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All changes after `after` up to `revision`.

    `tick` is one of ours that the server had received before it read that `revision` was the
    newest; 0: nothing new about that. `is_reset`: forget everything, for what happened before
    `after` cannot be told.
    """

    tick: int
    database_id: str
    after: int
    revision: int
    changes: tuple[Change, ...] = ()
    is_reset: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Up to where the changes of a database are known; the empty one knows nothing."""

    database_id: str = ""
    revision: int = 0


class FeedUnsupported(Exception):
    """This server has no change feed; another may, and this one after its next release."""


class FeedRefused(Exception):
    """This server refuses our credential, until an operator has looked at it."""


class FeedConnection(Protocol):
    """Both methods raise PathFailed when the connection is of no use any more."""

    async def send_tick(self, tick: int) -> None: ...

    async def receive(self) -> Page:
        """The next page. Waits as long as the caller lets it.

        Raises FeedUnsupported, FeedRefused.
        """
        ...


class Feed(Protocol):
    @property
    def name(self) -> str: ...

    def connect(
        self, position: Position, *, tick: int
    ) -> AbstractAsyncContextManager[FeedConnection]:
        """Asks for all changes after `position`.

        Raises PathFailed, FeedUnsupported, FeedRefused.
        """
        ...

    async def close(self) -> None: ...
