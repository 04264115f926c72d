"""Whoever stands still in the middle of a write keeps nobody else from writing for long."""

import pytest

from svckit.database import open_database, writing
from svckit.errors import Unavailable
from tests.postgres import PostgresServer


async def test_the_server_ends_a_writer_that_stands_still(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("svckit.database.STILL_S", 0.1)
    url = postgres.new_database()
    still, other = open_database(url), open_database(url)
    wrote: list[str] = []

    async def write_behind_one_who_stands_still() -> None:
        async with writing(still, lock="a lock"), writing(other, lock="a lock"):
            wrote.append("the other")

    try:
        with pytest.raises(Unavailable):
            await write_behind_one_who_stands_still()
    finally:
        await still.dispose()
        await other.dispose()
    assert wrote == ["the other"]
