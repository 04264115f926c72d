"""What the store answers about users, organizations, locals and permissions, as of one moment."""

from dataclasses import replace

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.access import LocalRecord, OrganizationRecord, UserRecord
from authsvc.audit import SYSTEM
from authsvc.changes import Change
from authsvc.decision import AccessFacts, decide
from authsvc.model import Local, Organization, Role, Status, User
from authsvc.store import Store
from tests.contract.store.entities import ANA, WORLD, query
from tests.contract.store.stored import (
    access,
    changes_since,
    facts,
    facts_of,
    here,
    permissions,
    put,
    stored,
)


async def test_an_assigned_user_of_an_active_local_has_every_fact_of_a_yes(store: Store) -> None:
    await put(store, *WORLD)

    found = await facts(store, query("ana", "acme", "centro"))

    assert found == AccessFacts(
        user_status=Status.ACTIVE,
        organization_status=Status.ACTIVE,
        is_member=True,
        local_status=Status.ACTIVE,
        local_name="Centro",
        is_assigned=True,
    )


async def test_what_does_not_exist_is_none_and_never_a_member(store: Store) -> None:
    found = await facts(store, query("nobody", "nowhere", "nothing"))

    assert found == AccessFacts(
        user_status=None,
        organization_status=None,
        is_member=False,
        local_status=None,
        local_name="",
        is_assigned=False,
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("ana", "acme", "norte"), {"local_status": Status.INACTIVE, "local_name": "Norte"}),
        (("ana", "acme", "sur"), {"local_name": "Sur", "is_assigned": False}),
        (
            ("ana", "acme", "puerto"),
            {"local_status": None, "local_name": "", "is_assigned": False},
        ),
        (
            ("nobody", "acme", "centro"),
            {"user_status": None, "is_member": False, "is_assigned": False},
        ),
        (
            ("ana", "nowhere", "centro"),
            {
                "organization_status": None,
                "is_member": False,
                "local_status": None,
                "local_name": "",
                "is_assigned": False,
            },
        ),
        (
            ("ana", "bazar", "puerto"),
            {
                "organization_status": Status.INACTIVE,
                "is_member": False,
                "local_name": "Puerto",
                "is_assigned": False,
            },
        ),
        (
            ("bea", "acme", "centro"),
            {"is_member": False, "is_assigned": False},
        ),
    ],
)
async def test_each_question_finds_its_own_facts(
    store: Store, asked: tuple[str, str, str], expected: dict[str, object]
) -> None:
    await put(store, *WORLD)
    every_fact = AccessFacts(
        user_status=Status.ACTIVE,
        organization_status=Status.ACTIVE,
        is_member=True,
        local_status=Status.ACTIVE,
        local_name="Centro",
        is_assigned=True,
    )

    found = await facts(store, query(*asked))

    assert found == replace(every_fact, **expected)  # type: ignore[arg-type] # the table's rows are of mixed types


async def test_a_page_has_exactly_what_was_asked_for_and_the_organizations_of_its_users(
    store: Store,
) -> None:
    await put(store, *WORLD)

    page = await store.read_access(
        user_ids=["ana", "nobody"],
        organization_ids=["bazar", "nowhere"],
        local_ids=["norte", "nothing"],
        database_id="",
        after=0,
    )

    assert page.users == {
        "ana": UserRecord(
            organization_id="acme",
            is_active=True,
            locals=frozenset({"centro", "norte"}),
            permissions=("catalog:edit", "catalog:read", "sale:make"),
        ),
        "nobody": None,
    }
    assert page.organizations == {
        "acme": OrganizationRecord(is_active=True),
        "bazar": OrganizationRecord(is_active=False),
        "nowhere": None,
    }
    assert page.locals == {
        "norte": LocalRecord(organization_id="acme", name="Norte", is_active=False),
        "nothing": None,
    }


async def test_a_page_of_nothing_is_empty(store: Store) -> None:
    page = await store.read_access(
        user_ids=(), organization_ids=(), local_ids=(), database_id="", after=0
    )

    assert (page.users, page.organizations, page.locals) == ({}, {}, {})


async def test_a_page_tells_the_changes_up_to_its_records(store: Store) -> None:
    await put(store, *WORLD)
    start = await here(store)
    await store.revoke("ana", "centro", by=SYSTEM)

    page = await store.read_access(
        user_ids=["ana"],
        organization_ids=(),
        local_ids=(),
        database_id=start.database_id,
        after=start.revision,
    )

    user = page.users["ana"]
    assert user is not None
    assert user.locals == {"norte"}
    assert page.feed.changes == (
        Change(
            revision=start.revision + 1, organization_id="acme", user_id="ana", local_id="centro"
        ),
    )
    assert page.feed.revision == start.revision + 1


async def test_a_full_page_is_whole(store: Store) -> None:
    locals_ = [Local(id=f"l{i:03}", organization_id="o", name=f"L {i}") for i in range(512)]
    users = [
        User(id=f"u{i:03}", organization_id="o", email=f"u{i}@o", locals=frozenset({f"l{i:03}"}))
        for i in range(512)
    ]
    await put(store, Organization(id="o", name="O"), *locals_, *users)
    asked = [query(user.id, "o", local.id) for user, local in zip(users, locals_, strict=True)]

    page = await access(store, *asked)

    assert all(decide(facts_of(page, each)).is_valid for each in asked)


async def test_permissions_are_the_sorted_union_over_the_roles(store: Store) -> None:
    await put(store, *WORLD)

    assert await permissions(store, "ana") == ("catalog:edit", "catalog:read", "sale:make")


async def test_many_permissions_are_sorted_and_named_once(store: Store) -> None:
    names = [f"area:p{i}" for i in range(300)]
    roles = [
        Role(
            id=f"r{i}", organization_id="acme", name="R", permissions=frozenset(names[i : i + 200])
        )
        for i in range(100)
    ]
    role_ids = frozenset(role.id for role in roles)
    await put(store, *WORLD, *roles, replace(ANA, roles=role_ids))

    assert await permissions(store, "ana") == tuple(sorted(names[:299]))


async def test_a_user_without_roles_or_with_an_empty_one_has_no_permissions(store: Store) -> None:
    idle = User(id="ida", organization_id="acme", email="i@a.test", roles=frozenset({"idle"}))
    await put(store, *WORLD, idle)

    assert await permissions(store, "bea") == ()
    assert await permissions(store, "ida") == ()


async def test_an_unknown_user_is_none(store: Store) -> None:
    await put(store, *WORLD)

    assert await permissions(store, "nobody") is None


@pytest.mark.parametrize(
    "hostile", ["'; DROP TABLE users; --", '" OR "1"="1', "100%_\\", "$1", ":user_id", "a?b"]
)
async def test_sql_in_ids_and_names_is_only_text(store: Store, hostile: str) -> None:
    world = (
        Organization(id=hostile, name=hostile),
        Role(id=hostile, organization_id=hostile, name=hostile),
        User(id=hostile, organization_id=hostile, email=hostile, roles=frozenset({hostile})),
    )
    await put(store, *world)

    assert await stored(store) == list(world)
    found = await facts(store, query(hostile, hostile, hostile))
    assert found.user_status is Status.ACTIVE
    assert found.local_status is None


async def test_ids_that_differ_only_in_case_or_accent_are_different(store: Store) -> None:
    await put(store, Organization(id="Acme", name="upper"), Organization(id="acme", name="lower"))

    assert len(await stored(store)) == 2
    assert (await facts(store, query("u", "ACME", "l"))).organization_status is None


async def test_each_hot_question_is_one_statement(store: Store, engine: AsyncEngine) -> None:
    await put(store, *WORLD)
    statements: list[str] = []
    event.listen(
        engine.sync_engine,
        "before_cursor_execute",
        lambda *call: statements.append(call[2]),
    )

    start = await access(store, query("ana", "acme", "centro"))
    await changes_since(store, start.feed)
    await store.list_user_locals(user_id="ana", after_id="", limit=10)
    await store.list_local_users(local_id="centro", after_id="", limit=10)

    assert len(statements) == 4


async def test_an_empty_store_says_so(store: Store) -> None:
    assert await store.is_empty()

    await put(store, *WORLD)

    assert not await store.is_empty()


async def test_a_ping_of_a_good_database_returns(store: Store) -> None:
    await store.ping()
