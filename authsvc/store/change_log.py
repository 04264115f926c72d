"""The change feed in the database: recording what a write touched, reading it, and trimming it.

Recording and trimming run in the transaction of the only writer, so revisions follow commits.
"""

from collections.abc import Collection

import msgspec
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.changes import Change, ChangePage
from authsvc.store.history import FeedRead, page_of, rows_max
from authsvc.store.questions import FEED
from authsvc.store.schema import changes, feed
from authsvc.store.statements import Row, insert
from authsvc.store.touches import Touch, fold

__all__ = ["CHANNEL", "record", "forget_all", "read", "page", "trim_point", "trim_part"]

# Where PostgreSQL says that something was committed.
CHANNEL = "auth_changes"
# What is kept of the log; what is beyond either goes.
KEPT_ROWS_MAX = 100_000
KEPT_S = 24 * 60 * 60
TRIM_PART_ROWS = 5_000

STATEMENTS = {dialect: text(question) for dialect, question in FEED.items()}
NEWEST = msgspec.json.Decoder(tuple[Change, ...])


async def record(
    connection: AsyncConnection, touches: Collection[Touch], *, wall_now: float
) -> int | None:
    """The next revision, which is taken unless nothing was touched."""
    if not touches:
        return None
    revision = await _take_revision(connection)
    rows = [
        {"revision": revision, "n": n, **touch._asdict(), "written_at": int(wall_now)}
        for n, touch in enumerate(fold(touches))
    ]
    await insert(connection, changes, rows)
    await _notify(connection)
    return revision


async def forget_all(connection: AsyncConnection) -> int:
    """A revision that cannot be told, so that everyone who knew an earlier one must forget it."""
    revision = await _take_revision(connection)
    await connection.execute(update(feed).values(trimmed_to=revision))
    # A log that goes back beyond what it was trimmed to could be trimmed to less, later.
    await connection.execute(delete(changes))
    await _notify(connection)
    return revision


async def _take_revision(connection: AsyncConnection) -> int:
    next_one = update(feed).values(revision=feed.c.revision + 1).returning(feed.c.revision)
    revision: int = (await connection.execute(next_one)).scalar_one()
    return revision


async def _notify(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_notify(CHANNEL, "")))


async def read(connection: AsyncConnection, *, database_id: str, after: int) -> ChangePage:
    asked = {"database_id": database_id, "after": after, "rows_max": rows_max(database_id)}
    row = (await connection.execute(STATEMENTS[connection.dialect.name], asked)).one()
    return page(row, database_id=database_id, after=after)


def page(row: Row, *, database_id: str, after: int) -> ChangePage:
    """What a row with the columns of FEED tells one who asked with these."""
    found = FeedRead(
        database_id=row.database_id,
        revision=row.revision,
        trimmed_to=row.trimmed_to,
        newest=NEWEST.decode(row.newest),
    )
    return page_of(found, database_id=database_id, after=after)


async def trim_point(connection: AsyncConnection, *, wall_now: float) -> int | None:
    """The last revision that must go; never the newest one. None: all is within bounds."""
    by_age = (changes.c.revision, changes.c.n)
    young = changes.c.written_at >= wall_now - KEPT_S
    oldest = select(changes.c.revision).order_by(*by_age).limit(1)
    row = (
        await connection.execute(
            select(
                oldest.scalar_subquery(),
                oldest.where(young).scalar_subquery(),
                select(changes.c.revision)
                .order_by(*(column.desc() for column in by_age))
                .offset(KEPT_ROWS_MAX)
                .limit(1)
                .scalar_subquery(),
                feed.c.revision,
            )
        )
    ).one()
    first, first_young, too_many, newest = row
    if first is None:
        return None
    too_old = newest if first_young is None else first_young - 1
    point: int = min(max(too_old, too_many or 0), newest - 1)
    return point if point >= first else None


async def trim_part(connection: AsyncConnection, *, wall_now: float) -> None:
    """Forgets the oldest part of what must go, and says so."""
    point = await trim_point(connection, wall_now=wall_now)
    if point is None:
        return  # another process did it
    oldest = (
        select(changes.c.revision)
        .where(changes.c.revision <= point)
        .order_by(changes.c.revision)
        .limit(TRIM_PART_ROWS)
        .subquery()
    )
    last = await connection.scalar(select(func.max(oldest.c.revision)))
    await connection.execute(update(feed).values(trimmed_to=last))
    await connection.execute(delete(changes).where(changes.c.revision <= last))
