"""Migrating: at most one sentence to the operator, and nothing half-done."""

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest

from svckit.database import DatabaseError
from svckit.migrations import Migrations, migrate

ENV = """
from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
)
with context.begin_transaction():
    context.run_migrations()
"""

REVISION = """
from alembic import op

revision = "{revision}"
down_revision = {down_revision!r}


def upgrade() -> None:
    op.execute("{statement}")
"""


def history(directory: Path, statements: dict[str, str]) -> Migrations:
    """A schema history with one statement a revision, the last one being the head."""
    versions = directory / "versions"
    versions.mkdir(parents=True)
    (directory / "env.py").write_text(ENV)
    down_revision = None
    for revision, statement in statements.items():
        source = REVISION.format(
            revision=revision, down_revision=down_revision, statement=statement
        )
        (versions / f"r{revision}.py").write_text(source)
        down_revision = revision
    assert down_revision is not None
    return Migrations(directory=directory, head=down_revision, version_table="x_version")


def tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    try:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    finally:
        connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


@pytest.fixture
def url(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


async def test_each_revision_is_run_once_in_order(tmp_path: Path, path: Path, url: str) -> None:
    first = history(tmp_path / "1", {"1": "CREATE TABLE a (n INTEGER)"})
    both = history(
        tmp_path / "2", {"1": "CREATE TABLE a (n INTEGER)", "2": "CREATE TABLE b (n INTEGER)"}
    )

    await migrate(url, first)
    await migrate(url, both)
    await migrate(url, both)

    assert {"a", "b"} <= tables(path)


async def test_a_migration_that_fails_leaves_the_database_as_it_was(
    tmp_path: Path, path: Path, url: str
) -> None:
    broken = history(tmp_path / "1", {"1": "CREATE TABLE a (n INTEGER)", "2": "CREATE NONSENSE"})

    with pytest.raises(DatabaseError, match="syntax error"):
        await migrate(url, broken)

    assert tables(path) == set()


async def test_a_database_newer_than_the_code_is_refused(
    tmp_path: Path, path: Path, url: str
) -> None:
    await migrate(url, history(tmp_path / "1", {"from_the_future": "CREATE TABLE a (n INTEGER)"}))

    with pytest.raises(DatabaseError, match=r"'from_the_future'.*newer"):
        await migrate(url, history(tmp_path / "2", {"1": "CREATE TABLE b (n INTEGER)"}))

    assert "b" not in tables(path)


async def test_a_path_with_a_percent_sign_is_no_trouble(
    tmp_path: Path, path: Path, url: str
) -> None:
    await migrate(url, history(tmp_path / "50%(x)s", {"1": "CREATE TABLE a (n INTEGER)"}))

    assert "a" in tables(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"this is a text file, however long it may be" * 50, "file is not a database"),
        (b"SQLite format 3\x00" + b"\xff" * 4080, "."),
    ],
)
def test_a_file_that_is_no_database_is_refused_and_not_touched(
    tmp_path: Path, path: Path, url: str, content: bytes, problem: str
) -> None:
    path.write_bytes(content)

    with pytest.raises(DatabaseError, match=f"cannot open .*x.db: .*{problem}") as failure:
        asyncio.run(migrate(url, history(tmp_path / "1", {"1": "CREATE TABLE a (n INTEGER)"})))

    assert "\n" not in str(failure.value)
    assert path.read_bytes() == content


async def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path: Path) -> None:
    history_ = history(tmp_path / "1", {"1": "CREATE TABLE a (n INTEGER)"})

    with pytest.raises(DatabaseError) as failure:
        await migrate("postgresql+asyncpg://me:s3cret@127.0.0.1:1/x", history_)

    assert "cannot open postgresql+asyncpg://me:***@127.0.0.1:1/x: " in str(failure.value)
    assert "s3cret" not in str(failure.value)
    assert "\n" not in str(failure.value)


async def test_a_database_at_its_head_costs_no_import_of_alembic(tmp_path: Path, url: str) -> None:
    at_head = history(tmp_path / "1", {"1": "CREATE TABLE a (n INTEGER)"})
    await migrate(url, at_head)
    program = f"""
import asyncio, pathlib, sys
from svckit.migrations import Migrations, migrate
history = Migrations(directory=pathlib.Path(), head="1", version_table="x_version")
asyncio.run(migrate({url!r}, history))
assert "alembic" not in sys.modules
"""

    async with asyncio.timeout(30):
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
        assert await process.wait() == 0
