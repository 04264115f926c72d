"""The change log is bounded by rows and by age, and what is trimmed is never silently missing."""

import asyncio

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.store import Store
from svckit.database import open_database
from tests.contract.store.stored import here

DAY_S = 24 * 60 * 60
NOW = 2_000_000_000.0
KEPT_ROWS = 100_000


async def fill(
    engine: AsyncEngine, *, first: int, last: int, written_at: float, rows: int = 1
) -> None:
    """A log of these revisions, as if they were written at that time."""
    numbers = "WITH RECURSIVE t(x) AS (SELECT {0} UNION ALL SELECT x + 1 FROM t WHERE x < {1})"
    revisions = numbers.format(first, last)
    places = numbers.format(0, rows - 1).replace("t(x)", "s(x)").replace("FROM t", "FROM s")
    statement = (
        f"INSERT INTO changes SELECT a.x, b.x, 'o', NULL, NULL, {written_at:.0f} "  # noqa: S608 # our own numbers
        f"FROM ({revisions} SELECT x FROM t) AS a CROSS JOIN ({places} SELECT x FROM s) AS b"
    )
    async with engine.begin() as connection:
        await connection.execute(text(statement))
        await connection.execute(text(f"UPDATE feed SET revision = {last}"))  # noqa: S608 # our own number


async def kept(engine: AsyncEngine) -> tuple[int, int, int, int]:
    """The first and the last revision that is there, the rows, and what was trimmed to."""
    query = "SELECT min(revision), max(revision), count(*) FROM changes"
    async with engine.connect() as connection:
        first, last, rows = (await connection.execute(text(query))).one()
        trimmed_to = await connection.scalar(text("SELECT trimmed_to FROM feed"))
    return first, last, rows, trimmed_to


async def test_what_is_older_than_a_day_goes_and_the_rest_stays(
    store: Store, engine: AsyncEngine
) -> None:
    await fill(engine, first=1, last=100, written_at=NOW - DAY_S - 1)
    await fill(engine, first=101, last=150, written_at=NOW - DAY_S + 1)

    await store.trim_changes(wall_now=NOW)

    assert await kept(engine) == (101, 150, 50, 100)


async def test_what_is_beyond_the_rows_that_are_kept_goes(
    store: Store, engine: AsyncEngine
) -> None:
    await fill(engine, first=1, last=KEPT_ROWS + 3, written_at=NOW)

    await store.trim_changes(wall_now=NOW)

    assert await kept(engine) == (4, KEPT_ROWS + 3, KEPT_ROWS, 3)


async def test_a_revision_goes_as_a_whole(store: Store, engine: AsyncEngine) -> None:
    await fill(engine, first=1, last=4, written_at=NOW, rows=30_000)

    await store.trim_changes(wall_now=NOW)

    assert await kept(engine) == (2, 4, 90_000, 1)


@pytest.mark.parametrize("rows", [1, KEPT_ROWS + 1])
async def test_the_newest_revision_stays_however_old_or_large_it_is(
    store: Store, engine: AsyncEngine, rows: int
) -> None:
    await fill(engine, first=1, last=2, written_at=NOW - 2 * DAY_S)
    await fill(engine, first=3, last=3, written_at=NOW - 2 * DAY_S, rows=rows)

    await store.trim_changes(wall_now=NOW)
    await store.trim_changes(wall_now=NOW)

    assert await kept(engine) == (3, 3, rows, 2)


async def test_where_nothing_must_go_one_statement_says_so(
    store: Store, engine: AsyncEngine
) -> None:
    statements: list[str] = []
    event.listen(
        engine.sync_engine, "before_cursor_execute", lambda *call: statements.append(call[2])
    )

    await store.trim_changes(wall_now=NOW)  # an empty log

    assert len(statements) == 1


async def test_no_reader_misses_a_change_while_the_log_is_trimmed(
    store: Store, engine: AsyncEngine, database_url: str
) -> None:
    await fill(engine, first=1, last=20_000, written_at=NOW - 2 * DAY_S)
    await fill(engine, first=20_001, last=20_100, written_at=NOW)
    database_id = (await here(store)).database_id
    other = open_database(database_url)
    gaps: list[int] = []

    async def read(after: int) -> None:
        page = await store.read_changes(database_id=database_id, after=after)
        assert page.is_gap or page.after == after
        assert [change.revision for change in page.changes] == list(
            range(page.after + 1, page.revision + 1)
        )
        if page.is_gap:
            gaps.append(after)

    try:
        trimming = asyncio.create_task(Store(other).trim_changes(wall_now=NOW))
        async with asyncio.timeout(30):
            while not trimming.done():
                for after in (12_000, 15_001, 19_999, 20_050):
                    await read(after)
            await trimming
    finally:
        await other.dispose()

    assert 20_050 not in gaps
    assert await kept(engine) == (20_001, 20_100, 100, 20_000)
    gaps.clear()
    for after in (19_999, 20_000):
        await read(after)
    assert gaps == [19_999]


async def test_processes_that_trim_at_once_trim_once(
    store: Store, engine: AsyncEngine, database_url: str
) -> None:
    await fill(engine, first=1, last=12_000, written_at=NOW - 2 * DAY_S)
    other = open_database(database_url)
    try:
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            for each in (store, Store(other), store):
                tasks.create_task(each.trim_changes(wall_now=NOW))
    finally:
        await other.dispose()

    assert await kept(engine) == (12_000, 12_000, 1, 11_999)
