"""The bounds of a database connection. Pure."""

from dataclasses import dataclass

__all__ = ["DatabaseLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLimits:
    """How long each wait may last, and how many connections there may be.

    The first two are for PostgreSQL: SQLite has no one to wait for but another writer.
    """

    connect_timeout_s: float = 5.0
    statement_timeout_s: float = 5.0
    pool_wait_s: float = 5.0
    pool_size: int = 10
