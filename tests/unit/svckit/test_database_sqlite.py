"""SQLite's locks: what is tried again, and what is not."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from svckit.database import exclusive, open_database
from svckit.sqlite import _switch_to_wal, begin_immediate


def refusal(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("refused")
    error.sqlite_errorcode = code
    return error


class RefusingCursor:
    """Refuses what is executed as often as it was told."""

    def __init__(self, *refusals: sqlite3.OperationalError) -> None:
        self.refusals = list(refusals)
        self.executed: list[str] = []

    def execute(self, sql: str) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.executed.append(sql)


async def test_a_switch_to_wal_that_meets_another_is_tried_again() -> None:
    # The second is how SQLite says it while another process recovers the file.
    cursor = RefusingCursor(refusal(sqlite3.SQLITE_BUSY), refusal(sqlite3.SQLITE_BUSY_RECOVERY))

    _switch_to_wal(cursor)

    assert cursor.executed == ["PRAGMA journal_mode = WAL"]


async def test_a_switch_to_wal_that_fails_otherwise_is_not_tried_again() -> None:
    cursor = RefusingCursor(refusal(sqlite3.SQLITE_READONLY))

    with pytest.raises(sqlite3.OperationalError):
        _switch_to_wal(cursor)

    assert cursor.executed == []


async def test_a_transaction_that_cannot_begin_is_not_waited_for(tmp_path: Path) -> None:
    engine = open_database(f"sqlite+aiosqlite:///{tmp_path}/x.db")
    try:
        async with exclusive(engine, lock="x") as connection:
            with pytest.raises(OperationalError, match="within a transaction"):
                await begin_immediate(connection)
    finally:
        await engine.dispose()
