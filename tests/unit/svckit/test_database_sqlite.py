"""SQLite's locks: what is tried again, and what is not."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from svckit.database import exclusive, open_database
from svckit.sqlite import _switch_to_wal, begin_immediate, is_readable_by_others


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


@pytest.mark.parametrize(
    ("mode", "is_open"), [(0o600, False), (0o620, False), (0o640, True), (0o604, True)]
)
def test_a_file_is_readable_by_others_if_its_mode_lets_a_group_or_everyone(
    tmp_path: Path, mode: int, is_open: bool
) -> None:
    file = tmp_path / "a.db"
    file.touch()
    file.chmod(mode)

    assert is_readable_by_others(make_url(f"sqlite+aiosqlite:///{file}")) is is_open


def test_a_server_has_no_file_that_others_could_read() -> None:
    assert not is_readable_by_others(make_url("postgresql+asyncpg://me@/x"))
