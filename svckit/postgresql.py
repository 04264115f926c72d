"""Engines on PostgreSQL that neither hang with a silent server nor ask before each call."""

from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from svckit.database_limits import DatabaseLimits

__all__ = ["DRIVER", "open_postgresql"]

DRIVER = "postgresql+asyncpg"


def open_postgresql(url: URL, limits: DatabaseLimits) -> AsyncEngine:
    """Connects to nothing yet."""
    statement_timeout_ms = int(limits.statement_timeout_s * 1000)
    engine = create_async_engine(
        url,
        pool_size=limits.pool_size,
        max_overflow=0,
        pool_timeout=limits.pool_wait_s,
        # An error goes into the log as it is, and a parameter may be a hash or a key.
        hide_parameters=True,
        # Else each SELECT pays for a BEGIN and a ROLLBACK, a round trip each.
        isolation_level="AUTOCOMMIT",
        connect_args={
            "timeout": limits.connect_timeout_s,
            # The server's own bound answers first; the client's is for a server that cannot.
            "command_timeout": limits.statement_timeout_s + 1.0,
            "server_settings": {"statement_timeout": str(statement_timeout_ms)},
        },
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    event.listen(engine.sync_engine, "handle_error", _distrust_silent)
    event.listen(engine.sync_engine, "invalidate", _abort)
    return engine


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    # The driver knows when the server hung up: its restart costs no call, and no call a ping.
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _distrust_silent(context: ExceptionContext) -> None:
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = True


def _abort(connection: Any, _record: object, _exception: object) -> None:
    # A polite goodbye to a server that is silent would hold a cancelled caller for two seconds.
    connection.driver_connection.terminate()
