"""The change feed: every write that changes something has its revision, in the order of commits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest

from authsvc.audit import SYSTEM
from authsvc.changes import Change
from authsvc.model import Entity, Local, Organization, Role, Status, User
from authsvc.store import Store
from svckit.database import open_database
from svckit.errors import Conflict, InvalidRequest, NotFound
from tests.contract.store.entities import ANA, WORLD, query
from tests.contract.store.stored import access, changes_since, here, put

WRITES = 8
CANCELLED = 40


@pytest.fixture
async def other(database_url: str) -> AsyncIterator[Store]:
    """The store of another process."""
    engine = open_database(database_url)
    yield Store(engine)
    await engine.dispose()


async def test_a_database_has_its_id_and_a_first_revision_without_changes(store: Store) -> None:
    page = await here(store)

    assert (page.revision, page.after, page.changes, page.is_gap) == (1, 1, (), True)
    assert len(page.database_id) == 32
    assert (await here(store)).database_id == page.database_id


@pytest.mark.parametrize(
    ("entity", "user_id", "local_id"),
    [
        (Organization(id="acme", name="New name"), None, None),
        (Organization(id="acme", name="Acme", status=Status.INACTIVE), None, None),
        (Local(id="centro", organization_id="acme", name="New name"), None, "centro"),
        (Local(id="new", organization_id="acme", name="New"), None, "new"),
        (Role(id="idle", organization_id="acme", name="New name"), None, None),
        (Role(id="new", organization_id="acme", name="New"), None, None),
        (
            Role(id="idle", organization_id="acme", name="Idle", permissions=frozenset({"a:b"})),
            None,
            None,
        ),
        (replace(ANA, status=Status.INACTIVE), "ana", None),
        (replace(ANA, roles=frozenset({"cashier"})), "ana", None),
        (replace(ANA, locals=frozenset({"sur"})), "ana", None),
        (replace(ANA, email="ANA@acme.test"), "ana", None),
        (User(id="new", organization_id="acme", email="new@a"), "new", None),
    ],
)
async def test_a_put_that_changes_something_takes_a_revision_and_says_what_it_touched(
    store: Store, entity: Entity, user_id: str | None, local_id: str | None
) -> None:
    await put(store, *WORLD)
    start = await here(store)

    await put(store, *WORLD[::-1], entity)  # its last mention counts; the others stand already

    assert await changes_since(store, start) == [
        Change(
            revision=start.revision + 1,
            organization_id="acme",
            user_id=user_id,
            local_id=local_id,
        )
    ]


async def test_a_grant_and_a_revocation_touch_one_assignment(store: Store) -> None:
    await put(store, *WORLD)
    start = await here(store)

    await store.grant("ana", "sur", by=SYSTEM)
    await store.revoke("ana", "sur", by=SYSTEM)

    assert await changes_since(store, start) == [
        Change(revision=start.revision + n, organization_id="acme", user_id="ana", local_id="sur")
        for n in (1, 2)
    ]


async def test_what_changes_nothing_takes_no_revision(store: Store) -> None:
    await put(store, *WORLD)
    start = await here(store)

    await put(store, *WORLD)
    await store.put_each([], by=SYSTEM)
    await store.put_each([Local(id="l", organization_id="nowhere", name="L")], by=SYSTEM)
    assert not await store.grant("ana", "centro", by=SYSTEM)
    assert not await store.revoke("ana", "sur", by=SYSTEM)

    assert (await here(store)).revision == start.revision


async def test_what_is_refused_takes_no_revision(store: Store) -> None:
    await put(store, *WORLD)
    start = await here(store)

    with pytest.raises(NotFound):
        await store.grant("nobody", "centro", by=SYSTEM)
    with pytest.raises(Conflict):
        await store.revoke("ana", "puerto", by=SYSTEM)
    with pytest.raises(InvalidRequest):
        await store.put_each([Organization(id="o", name="")], by=SYSTEM)

    assert (await here(store)).revision == start.revision


async def test_a_write_of_several_entities_has_one_revision_for_all(store: Store) -> None:
    await put(store, *WORLD)

    page = await here(store)

    assert {(change.revision, change.organization_id) for change in page.changes} == {
        (2, "acme"),
        (2, "bazar"),
    }


async def test_many_touches_of_an_organization_are_told_as_one(store: Store) -> None:
    await put(store, *WORLD)
    start = await here(store)
    users = [User(id=f"u{i}", organization_id="acme", email=f"u{i}@a") for i in range(101)]

    await put(store, *users, Local(id="l", organization_id="bazar", name="L"))

    assert await changes_since(store, start) == [
        Change(revision=start.revision + 1, organization_id="bazar", local_id="l"),
        Change(revision=start.revision + 1, organization_id="acme"),
    ]


# A connection whose making is cancelled is dropped, not closed; Python >= 3.13 remarks on that.
@pytest.mark.filterwarnings("ignore:.*<sqlite3.Connection:pytest.PytestUnraisableExceptionWarning")
async def test_a_write_that_is_cancelled_has_both_its_change_and_its_revision_or_neither(
    store: Store,
) -> None:
    loop = asyncio.get_running_loop()
    locals_ = [Local(id=f"l{n}", organization_id="acme", name="L") for n in range(CANCELLED)]
    await put(store, *WORLD, *locals_)
    started_at = loop.time()
    await store.grant("ana", "sur", by=SYSTEM)
    whole_s = loop.time() - started_at
    start = await here(store)

    for moment, local in enumerate(locals_):
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * whole_s * moment / CANCELLED):
                await store.grant("ana", local.id, by=SYSTEM)

    page = await access(store, query("ana", "acme", "sur"))
    user = page.users["ana"]
    assert user is not None
    assert len(user.locals - {*ANA.locals, "sur"}) == page.feed.revision - start.revision


async def test_every_reader_sees_every_revision_once_in_the_order_of_the_commits(
    store: Store, other: Store
) -> None:
    locals_ = [Local(id=f"l{n}", organization_id="acme", name="L") for n in range(4 * WRITES)]
    await put(store, *WORLD, *locals_)
    start = await here(store)
    last = start.revision + len(locals_)

    async def write(store: Store, ids: list[str]) -> None:
        for local_id in ids:
            await store.grant("ana", local_id, by=SYSTEM)

    async def follow(store: Store) -> list[Change]:
        seen: list[Change] = []
        known = start.revision
        while known < last:
            page = await store.read_changes(database_id=start.database_id, after=known)
            assert not page.is_gap
            assert page.after == known
            assert [change.revision for change in page.changes] == list(
                range(known + 1, page.revision + 1)
            )
            known = page.revision
            seen += page.changes
        return seen

    async def compare(store: Store) -> None:
        """A record is of the revision it comes with: each grants one local more."""
        known = start.revision
        while known < last:
            page = await store.read_access(
                user_ids=["ana"],
                organization_ids=(),
                local_ids=(),
                database_id=start.database_id,
                after=known,
            )
            user = page.users["ana"]
            assert user is not None
            assert len(user.locals - ANA.locals) == page.feed.revision - start.revision
            assert page.feed.revision >= known
            known = page.feed.revision

    ids = [local.id for local in locals_]
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for n in range(4):
            tasks.create_task(write((store, other)[n % 2], ids[n::4]))
        followers = [tasks.create_task(follow(each)) for each in (store, other)]
        for each in (store, other):
            tasks.create_task(compare(each))

    seen = followers[0].result()
    assert followers[1].result() == seen
    assert sorted(change.local_id or "" for change in seen) == sorted(ids)


@pytest.mark.parametrize("place", ["from scratch", "another database", "the future"])
async def test_who_cannot_go_on_starts_from_the_newest_history(store: Store, place: str) -> None:
    await put(store, *WORLD)
    await store.grant("ana", "sur", by=SYSTEM)
    start = await here(store)
    database_id, after = {
        "from scratch": ("", 0),
        "another database": ("0" * 32, 1),
        "the future": (start.database_id, start.revision + 1),
    }[place]

    page = await store.read_changes(database_id=database_id, after=after)
    records = await store.read_access(
        user_ids=(), organization_ids=(), local_ids=(), database_id=database_id, after=after
    )

    assert page == records.feed == start
    assert page.is_gap
    assert (page.after, page.revision) == (1, 3)
    assert {change.revision for change in page.changes} == {2, 3}
