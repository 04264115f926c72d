"""Files into the store and out again, on both databases."""

import asyncio
import io
import os
import random
from itertools import pairwise
from pathlib import Path

import pytest

from authsvc.audit import SYSTEM
from authsvc.migrations import MIGRATIONS
from authsvc.store import Store
from authsvc.transfer import (
    LINE_BYTES_MAX,
    Counts,
    RejectedLine,
    export_lines,
    format_line,
    import_lines,
)
from svckit.database import open_database
from svckit.migrations import migrate
from tests.contract.store.entities import WORLD
from tests.contract.store.stored import put, stored
from tests.postgres import PostgresServer

LINES = [format_line(entity) for entity in WORLD]
WHOLE = Counts(organizations=2, locals=4, roles=3, users=2)


async def exported(store: Store) -> bytes:
    return b"".join([line async for line in export_lines(store)])


def a_thousand_and_more() -> list[bytes]:
    lines = [b'{"kind":"organization","id":"o","name":"O"}']
    for i in range(1_100):
        lines.append(b'{"kind":"local","id":"l%d","organization_id":"o","name":"L"}' % i)
        lines.append(
            b'{"kind":"user","id":"u%d","organization_id":"o","email":"u%d@o","locals":["l%d"]}'
            % (i, i, i)
        )
    return lines


async def test_an_export_imported_elsewhere_exports_the_same_bytes(
    store: Store, request: pytest.FixtureRequest, tmp_path: Path, database_url: str
) -> None:
    await put(store, *WORLD)
    first = await exported(store)
    if database_url.startswith("sqlite"):
        elsewhere_url = f"sqlite+aiosqlite:///{tmp_path}/elsewhere.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        elsewhere_url = server.new_database()
    await migrate(elsewhere_url, MIGRATIONS)
    engine = open_database(elsewhere_url)
    try:
        report = await import_lines(Store(engine), io.BytesIO(first), by=SYSTEM)
        second = await exported(Store(engine))
    finally:
        await engine.dispose()

    assert report.rejected == ()
    assert second == first


@pytest.mark.parametrize("is_shut_by_the_file", [True, False])
async def test_a_line_without_a_status_makes_nothing_active_that_was_shut_out(
    store: Store, *, is_shut_by_the_file: bool
) -> None:
    lines = [
        b'{"kind":"organization","id":"o","name":"O"}',
        b'{"kind":"local","id":"l","organization_id":"o","name":"L"}',
        b'{"kind":"user","id":"u","organization_id":"o","email":"u@o"}',
    ]
    shut = [line[:-1] + b',"status":"inactive"}' for line in lines]
    first, again = (shut, lines) if not is_shut_by_the_file else ([], shut + lines)

    await import_lines(store, io.BytesIO(b"\n".join(first)), by=SYSTEM)
    report = await import_lines(store, io.BytesIO(b"\n".join(again)), by=SYSTEM)

    assert report.rejected == ()
    assert (await exported(store)).count(b'"inactive"') == 3
    said = [line[:-1] + b',"status":"active"}' for line in lines]
    await import_lines(store, io.BytesIO(b"\n".join(said)), by=SYSTEM)
    assert b"inactive" not in await exported(store)


async def test_lines_may_stand_in_any_order_across_transactions(store: Store) -> None:
    lines = a_thousand_and_more()
    random.Random(7).shuffle(lines)  # noqa: S311 # an order, not a secret

    report = await import_lines(store, io.BytesIO(b"\n".join(lines)), by=SYSTEM)

    assert report.rejected == ()
    assert report.accepted == Counts(organizations=1, locals=1_100, users=1_100)
    assert len(await stored(store)) == 1 + 1_100 + 1_100


async def test_importing_twice_changes_nothing(store: Store) -> None:
    content = b"\n".join(LINES)
    await import_lines(store, io.BytesIO(content), by=SYSTEM)
    first = await exported(store)

    report = await import_lines(store, io.BytesIO(content), by=SYSTEM)

    assert report.accepted == WHOLE
    assert await exported(store) == first


async def test_bad_lines_are_named_by_number_once_each_and_the_others_are_kept(
    store: Store,
) -> None:
    lines = [
        b'{"kind":"user","id":"u","organization_id":"acme","email":"u@x","locals":["missing"]}',
        b"not json",
        *LINES,
        b'{"kind":"local","id":"centro","organization_id":"bazar","name":"moved"}',
        b'{"kind":"robot","id":"r"}',
        b'{"kind":"role","id":"r","organization_id":"acme","name":"R","surprise":1}',
        b"\xff",
    ]

    report = await import_lines(store, io.BytesIO(b"\n".join(lines)), by=SYSTEM)

    after = 2 + len(LINES)
    assert [line.number for line in report.rejected] == [
        1,
        2,
        after + 1,
        after + 2,
        after + 3,
        after + 4,
    ]
    assert report.rejected_total == 6
    assert "'missing'" in report.rejected[0].reason
    assert "robot" in report.rejected[3].reason
    assert "surprise" in report.rejected[4].reason
    assert report.accepted == WHOLE
    assert set(await stored(store)) == set(WORLD)


async def test_of_many_bad_lines_the_first_hundred_are_named_and_all_are_counted(
    store: Store,
) -> None:
    bad_users = [
        b'{"kind":"user","id":"u%d","organization_id":"no","email":"u@x"}' % i for i in range(300)
    ]

    content = b"\n".join([*bad_users, *[b"{"] * 300])
    report = await import_lines(store, io.BytesIO(content), by=SYSTEM)

    assert report.rejected_total == 600
    assert [line.number for line in report.rejected] == list(range(1, 101))
    assert await store.is_empty()


async def test_a_bom_blank_lines_and_crlf_are_no_matter(store: Store) -> None:
    content = b"\xef\xbb\xbf" + b"\r\n\r\n \n".join(LINES) + b"\r\n\r\n"

    report = await import_lines(store, io.BytesIO(content), by=SYSTEM)

    assert report.rejected == ()
    assert report.accepted == WHOLE


async def test_the_longest_line_is_taken_and_a_longer_one_is_not(store: Store) -> None:
    start = b'{"kind":"organization","id":"%s","name":"O"'
    longest = (start % b"long").ljust(LINE_BYTES_MAX - 1) + b"}"
    # Cut anywhere, or with its end lost, it would be a good line.
    too_long = (start % b"cut") + b"}" + b" " * LINE_BYTES_MAX + b"\r" + b"x" * (3 * LINE_BYTES_MAX)
    last = start % b"last" + b"}"

    report = await import_lines(
        store, io.BytesIO(b"\xef\xbb\xbf" + b"\r\n".join([longest, too_long, last])), by=SYSTEM
    )

    assert report.accepted == Counts(organizations=2)
    assert report.rejected == (
        RejectedLine(number=2, reason=f"the line is longer than {LINE_BYTES_MAX} bytes"),
    )


async def test_a_file_is_read_by_its_path(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "world.jsonl"
    await asyncio.to_thread(path.write_bytes, b"\n".join(LINES))

    assert (await import_lines(store, path, by=SYSTEM)).accepted == WHOLE


async def test_a_file_that_is_not_there_says_so(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await import_lines(store, tmp_path / "nothing", by=SYSTEM)


async def test_a_pipe_can_be_imported(store: Store) -> None:
    reading_end, writing_end = os.pipe()
    os.write(writing_end, b"\n".join(LINES))
    os.close(writing_end)

    with os.fdopen(reading_end, "rb") as source:
        assert (await import_lines(store, source, by=SYSTEM)).accepted == WHOLE


async def test_progress_counts_every_line_that_is_settled(store: Store) -> None:
    lines = [*a_thousand_and_more(), b"bad"]
    heard: list[int] = []

    await import_lines(store, io.BytesIO(b"\n".join(lines)), on_progress=heard.append, by=SYSTEM)

    assert heard == sorted(heard)
    assert heard[-1] == len(lines)
    assert max(after - before for before, after in pairwise(heard)) <= 1_000


async def test_an_empty_file_is_an_empty_report(store: Store) -> None:
    report = await import_lines(store, io.BytesIO(b""), by=SYSTEM)

    assert report.accepted == Counts()
    assert report.rejected_total == 0
