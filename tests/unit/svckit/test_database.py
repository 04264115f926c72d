"""Opening a database: what is accepted, what is refused in one sentence, and how it is set up."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine

from svckit.database import (
    DatabaseError,
    DatabaseLimits,
    exclusive,
    open_database,
    outages,
    reading,
    snapshot,
    writing,
)
from svckit.database_errors import start_failures
from svckit.errors import Conflict, InvalidRequest, ServiceError, Unavailable


@asynccontextmanager
async def opened(url: str, limits: DatabaseLimits | None = None) -> AsyncIterator[AsyncEngine]:
    engine = open_database(url, limits=limits)
    try:
        yield engine
    finally:
        await engine.dispose()


def sqlite_url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "postgresql+asyncpg://me:s3cret@host:s3cret/x",
        "postgresql+asyncpg://me:s3cr/et@host:port/x",
        "postgresql://me:s3cret@host/x",
        "sqlite:///s3cret.db",
        "mysql+aiomysql://me:s3cret@host/x",
        "sqlite+aiosqlite://",
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:///file:x",
        "sqlite+aiosqlite:///x.db?timeout=s3cret",
        "postgresql+asyncpg://me@host/x?password=s3cret",
    ],
)
def test_a_url_that_is_not_accepted_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(DatabaseError) as failure:
        open_database(url)

    assert "s3cr" not in str(failure.value)
    assert "\n" not in str(failure.value)


async def test_a_file_is_made_with_its_directories_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "x.db"

    async with opened(sqlite_url(path)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_path_below_a_regular_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DatabaseError, match=r"cannot open sqlite.*/file/x\.db: Not a directory"):
        open_database(sqlite_url(tmp_path / "file" / "x.db"))


def test_a_directory_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="Is a directory"):
        open_database(sqlite_url(tmp_path))


def test_a_directory_that_takes_no_files_is_refused() -> None:
    # Not even from root, for whom a read-only mode means nothing.
    with pytest.raises(DatabaseError, match=r"cannot open sqlite.*/sys/x\.db: "):
        open_database("sqlite+aiosqlite:////sys/x.db")


async def test_every_sqlite_connection_is_durable_and_keeps_foreign_keys(tmp_path: Path) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    async with (
        opened(sqlite_url(tmp_path / "x.db")) as engine,
        engine.connect() as one,
        engine.connect() as two,
    ):
        for connection in (one, two):
            found = [await connection.scalar(text(f"PRAGMA {name}")) for name in names]
            assert found == ["wal", 2, 1, 250]


async def test_any_number_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    async def open_new(number: int) -> None:
        url = sqlite_url(tmp_path / f"{number // 8}.db")
        async with opened(url) as engine, writing(engine, lock="x") as connection:
            await connection.execute(text("CREATE TABLE IF NOT EXISTS t (n INTEGER)"))

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for number in range(40):
            tasks.create_task(open_new(number))


async def test_a_snapshot_does_not_see_what_is_written_meanwhile(tmp_path: Path) -> None:
    async with opened(sqlite_url(tmp_path / "x.db")) as engine:
        async with writing(engine, lock="x") as connection:
            await connection.execute(text("CREATE TABLE t (n INTEGER)"))

        async with snapshot(engine) as connection:
            before = await connection.scalar(text("SELECT count(*) FROM t"))
            async with writing(engine, lock="x") as other:
                await other.execute(text("INSERT INTO t VALUES (1)"))
            after = await connection.scalar(text("SELECT count(*) FROM t"))

        assert (before, after) == (0, 0)


async def test_a_transaction_that_fails_leaves_nothing_not_even_a_table(tmp_path: Path) -> None:
    async with opened(sqlite_url(tmp_path / "x.db")) as engine:

        async def fail_half_way() -> None:
            async with writing(engine, lock="x") as connection:
                await connection.execute(text("CREATE TABLE t (n INTEGER)"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail_half_way()

        async with reading(engine) as connection:
            assert await connection.scalar(text("SELECT count(*) FROM sqlite_master")) == 0


async def test_writers_take_turns_and_none_loses_what_another_wrote(tmp_path: Path) -> None:
    async with opened(sqlite_url(tmp_path / "x.db")) as engine:
        async with writing(engine, lock="x") as connection:
            await connection.execute(text("CREATE TABLE t (n INTEGER)"))
            await connection.execute(text("INSERT INTO t VALUES (0)"))

        async def add_one() -> None:
            async with writing(engine, lock="x") as connection:
                n = await connection.scalar(text("SELECT n FROM t"))
                await connection.execute(text("UPDATE t SET n = :n"), {"n": n + 1})

        async with asyncio.timeout(20):
            await asyncio.gather(*(add_one() for _ in range(20)))

        async with reading(engine) as connection:
            assert await connection.scalar(text("SELECT n FROM t")) == 20


async def test_a_lock_that_is_not_to_be_had_ends_the_wait(tmp_path: Path) -> None:
    async with opened(sqlite_url(tmp_path / "x.db")) as engine, exclusive(engine, lock="x"):
        with pytest.raises(TimeoutError):
            async with exclusive(engine, lock="x", wait_s=0.01):
                raise AssertionError("two at once")


async def test_a_lock_is_waited_for_in_as_many_turns_as_it_takes(tmp_path: Path) -> None:
    turns = 0
    third_turn = asyncio.Event()

    def wait_no_longer(connection: Any, _record: object) -> None:
        connection.cursor().execute("PRAGMA busy_timeout = 0")

    def count(*execution: Any) -> None:
        nonlocal turns
        turns += execution[2] == "BEGIN IMMEDIATE"
        if turns > 3:  # the first was the holder's own
            third_turn.set()

    async def wait_for_lock() -> None:
        async with exclusive(engine, lock="x"):
            pass

    async with opened(sqlite_url(tmp_path / "x.db")) as engine, asyncio.timeout(10):
        event.listen(engine.sync_engine, "connect", wait_no_longer)
        event.listen(engine.sync_engine, "before_cursor_execute", count)
        async with asyncio.TaskGroup() as tasks, exclusive(engine, lock="x"):
            waiter = tasks.create_task(wait_for_lock())
            await third_turn.wait()
            assert not waiter.done()


async def test_a_failure_that_is_not_a_lock_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"not a database" * 100)
    async with opened(sqlite_url(path)) as engine:
        with pytest.raises(Unavailable):
            async with writing(engine, lock="x"):
                raise AssertionError("opened what is no database")


async def test_a_server_that_accepts_and_says_nothing_is_left_in_time() -> None:
    limits = DatabaseLimits(connect_timeout_s=0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:  # the system accepts for it
        port = server.getsockname()[1]
        url = f"postgresql+asyncpg://me@127.0.0.1:{port}/x"
        async with opened(url, limits) as engine:
            with pytest.raises(Unavailable):
                async with asyncio.timeout(5), reading(engine):
                    raise AssertionError("connected to nobody")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (IntegrityError("SELECT", None, Exception("s3cret")), Conflict),
        (DataError("SELECT", None, Exception("s3cret")), InvalidRequest),
        (OperationalError("SELECT", None, Exception("s3cret")), Unavailable),
        (ProgrammingError("SELECT", None, Exception("s3cret")), Unavailable),
        (PoolTimeoutError("s3cret"), Unavailable),
        (ConnectionRefusedError("s3cret"), Unavailable),
        (TimeoutError("s3cret"), Unavailable),
    ],
)
def test_a_failure_is_said_by_whose_fault_it_is_and_without_its_text(
    raised: Exception, expected: type[ServiceError]
) -> None:
    with pytest.raises(expected) as failure, outages():
        raise raised

    assert type(failure.value) is expected
    assert "s3cret" not in failure.value.detail
    assert failure.value.__cause__ is raised


@pytest.mark.parametrize(
    "raised", [asyncio.CancelledError(), KeyError("bug"), Conflict("said already")]
)
def test_what_is_not_the_databases_passes(raised: BaseException) -> None:
    with pytest.raises(type(raised)) as failure, outages():
        raise raised

    assert failure.value is raised


@pytest.mark.parametrize(
    ("raised", "problem"),
    [
        (OperationalError("SELECT", None, Exception("no such\nHINT: none")), "no such"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (OSError("Multiple exceptions"), "Multiple exceptions"),
        (ConnectionError(), "ConnectionError"),
        (TimeoutError(), "no answer in time"),
        (PoolTimeoutError("QueuePool"), "no answer in time"),
        (ArgumentError("two hosts, one port"), "two hosts, one port"),
    ],
)
def test_a_failed_start_is_one_sentence_with_the_url_and_the_problem(
    raised: Exception, problem: str
) -> None:
    url = make_url("postgresql+asyncpg://me:s3cret@host/x")

    with pytest.raises(DatabaseError) as failure, start_failures(url):
        raise raised

    assert str(failure.value) == f"cannot open postgresql+asyncpg://me:***@host/x: {problem}"
    assert failure.value.__cause__ is raised


async def test_an_error_does_not_tell_what_a_statement_was_given(tmp_path: Path) -> None:
    async with opened(sqlite_url(tmp_path / "x.db")) as engine:
        with pytest.raises(OperationalError) as caught:
            async with engine.connect() as connection:
                await connection.execute(text("SELECT :given FROM nothing"), {"given": "canary"})

    assert "canary" not in str(caught.value)
