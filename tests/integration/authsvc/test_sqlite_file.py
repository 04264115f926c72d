"""Auth's store on SQLite when its file changes hands, and when a writer is cancelled."""

import asyncio
import gc
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from authsvc.audit import SYSTEM
from authsvc.decision import Reason, decide
from authsvc.migrations import MIGRATIONS
from authsvc.model import Entity, Local, LocalQuery, Organization, User
from authsvc.store import Store
from svckit.database import open_database
from svckit.errors import Unavailable
from svckit.migrations import migrate
from tests.contract.store.stored import facts, here

MOMENTS = 80
ANA = User(id="ana", organization_id="acme", email="ana@acme.test", locals=frozenset({"centro"}))
WORLD: tuple[Entity, ...] = (
    Organization(id="acme", name="Acme"),
    *(Local(id=f"l{number}", organization_id="acme", name="L") for number in range(50)),
    Local(id="centro", organization_id="acme", name="Centro"),
    ANA,
)
QUERY = LocalQuery(user_id="ana", organization_id="acme", local_id="centro")


@asynccontextmanager
async def new_store(path: Path) -> AsyncIterator[Store]:
    url = f"sqlite+aiosqlite:///{path}"
    await migrate(url, MIGRATIONS)
    engine = open_database(url)
    try:
        store = Store(engine)
        assert await store.put_each(WORLD, by=SYSTEM) == ()
        yield store
    finally:
        await engine.dispose()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "auth.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    async with new_store(path) as store:
        yield store


def files(path: Path) -> list[Path]:
    """The database, and what SQLite keeps beside it."""
    return sorted(path.parent.glob(f"{path.name}*"))


def replace(path: Path, backup: Path) -> None:
    for file in files(path):
        file.unlink()
    backup.replace(path)


def back_up(path: Path, backup: Path) -> None:
    source, target = sqlite3.connect(path), sqlite3.connect(backup)
    source.backup(target)
    source.close()
    target.close()


async def reason(store: Store) -> Reason:
    return decide(await facts(store, QUERY)).reason


def is_writable(path: Path) -> bool:
    """Whether another process could write: it would wait no longer than this for the lock."""
    connection = sqlite3.connect(path, timeout=0.5, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


# A connection whose making is cancelled is dropped, not closed; Python >= 3.13 remarks on that.
@pytest.mark.filterwarnings("ignore:.*<sqlite3.Connection:pytest.PytestUnraisableExceptionWarning")
async def test_a_writer_that_is_cancelled_at_any_moment_leaves_no_lock_behind(
    store: Store, path: Path
) -> None:
    clock = asyncio.get_running_loop().time
    started_at = clock()
    await store.put_each(WORLD, by=SYSTEM)
    whole_s = clock() - started_at
    locked = 0

    gc.collect()
    gc.disable()  # it would give the lock up, by and by
    try:
        for moment in range(MOMENTS):
            with suppress(TimeoutError):
                async with asyncio.timeout(whole_s * moment / MOMENTS):
                    await store.put_each(WORLD, by=SYSTEM)
            if not await asyncio.to_thread(is_writable, path):
                locked += 1
                gc.collect()
    finally:
        gc.enable()

    assert locked == 0


async def test_a_backup_that_is_restored_over_the_file_is_what_is_read(
    store: Store, path: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup" / "auth.db"
    async with new_store(backup) as other:
        await other.revoke("ana", "centro", by=SYSTEM)
    assert await reason(store) is Reason.ALLOWED

    replace(path, backup)

    assert await reason(store) is Reason.NOT_ASSIGNED
    assert await store.grant("ana", "centro", by=SYSTEM)
    assert await reason(store) is Reason.ALLOWED


async def test_an_older_copy_of_the_file_is_a_gap_in_the_feed(
    store: Store, path: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    await asyncio.to_thread(back_up, path, backup)
    before = await here(store)
    await store.revoke("ana", "centro", by=SYSTEM)
    start = await here(store)

    replace(path, backup)

    page = await store.read_changes(database_id=start.database_id, after=start.revision)
    assert page.is_gap
    assert page == before
    assert await reason(store) is Reason.ALLOWED


async def test_a_file_that_is_gone_is_an_outage_until_it_is_back_and_none_takes_its_place(
    store: Store, path: Path, tmp_path: Path
) -> None:
    assert await reason(store) is Reason.ALLOWED
    (aside := tmp_path / "aside").mkdir()

    for file in files(path):
        shutil.move(file, aside)

    with pytest.raises(Unavailable):
        await reason(store)
    with pytest.raises(Unavailable):
        await store.grant("ana", "centro", by=SYSTEM)
    with pytest.raises(Unavailable):
        await store.ping()
    assert files(path) == []

    for file in files(aside / path.name):
        shutil.move(file, path.parent)

    await store.ping()
    assert await reason(store) is Reason.ALLOWED


async def test_every_file_of_a_new_database_is_its_owners_alone(store: Store, path: Path) -> None:
    await store.revoke("ana", "centro", by=SYSTEM)

    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in files(path)}

    assert modes == dict.fromkeys(("auth.db", "auth.db-wal", "auth.db-shm"), 0o600)
