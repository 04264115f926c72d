"""What the store answers about users, locals and permissions."""

from dataclasses import replace

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.decision import AccessFacts, PermissionFacts
from authsvc.model import Organization, Role, Status, User
from authsvc.store import Store
from svckit.errors import InvalidRequest
from tests.contract.store.entities import WORLD, query
from tests.contract.store.stored import put, stored


async def test_an_assigned_user_of_an_active_local_has_every_fact_of_a_yes(store: Store) -> None:
    await put(store, *WORLD)

    facts = await store.access_facts(query("ana", "acme", "centro"))

    assert facts == AccessFacts(
        user_status=Status.ACTIVE,
        organization_status=Status.ACTIVE,
        is_member=True,
        local_status=Status.ACTIVE,
        local_name="Centro",
        is_assigned=True,
    )


async def test_what_does_not_exist_is_none_and_never_a_member(store: Store) -> None:
    facts = await store.access_facts(query("nobody", "nowhere", "nothing"))

    assert facts == AccessFacts(
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

    facts = await store.access_facts(query(*asked))

    assert facts == replace(every_fact, **expected)  # type: ignore[arg-type] # the table's rows are of mixed types


async def test_permissions_are_the_union_over_the_roles(store: Store) -> None:
    await put(store, *WORLD)

    facts = await store.permission_facts("ana")

    assert facts == PermissionFacts(
        organization_id="acme",
        user_status=Status.ACTIVE,
        organization_status=Status.ACTIVE,
        role_permissions=frozenset({"catalog:read", "catalog:edit", "sale:make"}),
    )


async def test_a_user_without_roles_or_with_an_empty_one_has_no_permissions(store: Store) -> None:
    idle = User(id="ida", organization_id="acme", email="i@a.test", roles=frozenset({"idle"}))
    await put(store, *WORLD, idle)

    of_bea = await store.permission_facts("bea")
    of_ida = await store.permission_facts("ida")

    assert of_bea is not None
    assert of_bea.role_permissions == frozenset()
    assert of_bea.organization_status is Status.INACTIVE
    assert of_ida is not None
    assert of_ida.role_permissions == frozenset()


async def test_an_unknown_user_is_none(store: Store) -> None:
    await put(store, *WORLD)

    assert await store.permission_facts("nobody") is None


@pytest.mark.parametrize("bad_id", ["", "a\x00b", "x" * 129, "\ud800"])
async def test_an_id_that_cannot_be_one_is_refused_before_the_database_sees_it(
    store: Store, bad_id: str
) -> None:
    with pytest.raises(InvalidRequest):
        await store.permission_facts(bad_id)


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
    facts = await store.access_facts(query(hostile, hostile, hostile))
    assert facts.user_status is Status.ACTIVE
    assert facts.local_status is None


async def test_ids_that_differ_only_in_case_or_accent_are_different(store: Store) -> None:
    await put(store, Organization(id="Acme", name="upper"), Organization(id="acme", name="lower"))

    assert len(await stored(store)) == 2
    assert (await store.access_facts(query("u", "ACME", "l"))).organization_status is None


async def test_each_hot_question_is_one_statement(store: Store, engine: AsyncEngine) -> None:
    await put(store, *WORLD)
    statements: list[str] = []
    event.listen(
        engine.sync_engine,
        "before_cursor_execute",
        lambda *call: statements.append(call[2]),
    )

    await store.access_facts(query("ana", "acme", "centro"))
    await store.permission_facts("ana")

    assert len(statements) == 2


async def test_an_empty_store_says_so(store: Store) -> None:
    assert await store.is_empty()

    await put(store, *WORLD)

    assert not await store.is_empty()


async def test_a_ping_of_a_good_database_returns(store: Store) -> None:
    await store.ping()
