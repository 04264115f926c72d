"""Putting, granting and revoking: what becomes true, and what is refused with nothing changed."""

import asyncio
from dataclasses import replace

import pytest

from authsvc.audit import SYSTEM
from authsvc.model import Entity, Local, Organization, Role, Status, User
from authsvc.store import Store
from svckit.database import open_database
from svckit.errors import Conflict, InvalidRequest, NotFound, ServiceError
from tests.contract.store.entities import ANA, WORLD, query
from tests.contract.store.stored import facts, permissions, put, stored, stored_user


async def is_assigned(store: Store, user_id: str, local_id: str) -> bool:
    return (await facts(store, query(user_id, "acme", local_id))).is_assigned


async def test_putting_the_same_twice_changes_nothing(store: Store) -> None:
    await put(store, *WORLD)
    await put(store, *WORLD)

    assert set(await stored(store)) == set(WORLD)


async def test_entities_may_stand_in_any_order(store: Store) -> None:
    await put(store, *reversed(WORLD))

    assert set(await stored(store)) == set(WORLD)


async def test_a_user_holds_exactly_what_its_last_put_names(store: Store) -> None:
    await put(store, *WORLD)
    changed = replace(
        ANA,
        email="Ana.Two@acme.test",
        status=Status.INACTIVE,
        roles=frozenset({"idle"}),
        locals=frozenset({"centro", "sur"}),
    )

    await put(store, changed)

    assert await stored_user(store, "ana") == changed


async def test_a_role_has_exactly_the_permissions_of_its_last_put(store: Store) -> None:
    await put(store, *WORLD)

    await put(store, Role(id="manager", organization_id="acme", name="M", permissions=frozenset()))

    assert await permissions(store, "ana") == ("catalog:read", "sale:make")


async def test_the_last_of_two_entities_with_one_id_counts(store: Store) -> None:
    twice = [Organization(id="o", name="first"), Organization(id="o", name="last")]

    await put(store, *twice, Local(id="l", organization_id="o", name="L"))

    assert [e.name for e in await stored(store) if isinstance(e, Organization)] == ["last"]


@pytest.mark.parametrize(
    ("bad", "kind", "named"),
    [
        (Local(id="l", organization_id="nowhere", name="L"), NotFound, ("local", "nowhere")),
        (Role(id="r", organization_id="nowhere", name="R"), NotFound, ("role", "nowhere")),
        (User(id="u", organization_id="nowhere", email="u@x"), NotFound, ("user", "nowhere")),
        (replace(ANA, roles=frozenset({"nothing"})), NotFound, ("role", "nothing")),
        (replace(ANA, locals=frozenset({"nothing"})), NotFound, ("local", "nothing")),
        # Another organization's local looks as if it were not there.
        (replace(ANA, locals=frozenset({"puerto"})), NotFound, ("local", "puerto")),
        (Local(id="centro", organization_id="bazar", name="X"), Conflict, ("local", "centro")),
        (Role(id="cashier", organization_id="bazar", name="X"), Conflict, ("role", "cashier")),
        (User(id="ana", organization_id="bazar", email="a@x"), Conflict, ("user", "ana")),
        (User(id="u", organization_id="acme", email="ANA@acme.test"), Conflict, ("user", "u")),
    ],
)
async def test_a_bad_entity_is_refused_by_kind_and_id_and_only_the_good_one_is_written(
    store: Store, bad: Entity, kind: type[ServiceError], named: tuple[str, str]
) -> None:
    await put(store, *WORLD)
    good = Organization(id="new", name="New")

    [rejection] = await store.put_each([good, bad], by=SYSTEM)

    assert (rejection.index, type(rejection.error)) == (1, kind)
    assert all(word in rejection.error.detail for word in named)
    assert "acme" not in rejection.error.detail
    assert set(await stored(store)) == {*WORLD, good}


async def test_a_broken_text_is_refused_before_the_database_sees_it(store: Store) -> None:
    with pytest.raises(InvalidRequest, match="control character"):
        await store.put_each(
            [Organization(id="good", name="Good"), Organization(id="o", name="a\x00b")], by=SYSTEM
        )

    assert await store.is_empty()


async def test_one_email_may_serve_in_two_organizations(store: Store) -> None:
    await put(store, *WORLD)

    await put(store, User(id="ana2", organization_id="bazar", email="ana@acme.test"))

    assert await stored_user(store, "ana2") is not None


async def test_emails_are_one_when_their_casefolded_forms_are(store: Store) -> None:
    await put(store, *WORLD)
    await put(store, User(id="u", organization_id="acme", email="STRASSE@a.test"))

    [rejection] = await store.put_each(
        [User(id="v", organization_id="acme", email="straße@a.test")], by=SYSTEM
    )

    assert type(rejection.error) is Conflict


async def test_a_user_may_respell_its_own_email(store: Store) -> None:
    await put(store, *WORLD)

    await put(store, replace(ANA, email="ANA@acme.test"))

    user = await stored_user(store, "ana")
    assert user is not None
    assert user.email == "ANA@acme.test"


async def test_put_each_keeps_the_good_and_names_the_bad_by_their_place(store: Store) -> None:
    batch: list[Entity] = [
        User(id="u1", organization_id="o", email="u1@o", locals=frozenset({"l1"})),
        User(id="u2", organization_id="o", email="u2@o", locals=frozenset({"missing"})),
        Local(id="l1", organization_id="o", name="L1"),
        Local(id="l2", organization_id="nowhere", name="L2"),
        Organization(id="o", name="O"),
        User(id="u3", organization_id="o", email="U1@o"),
    ]

    rejections = await store.put_each(batch, by=SYSTEM)

    assert [(rejection.index, type(rejection.error)) for rejection in rejections] == [
        (1, NotFound),
        (3, NotFound),
        (5, Conflict),
    ]
    assert set(await stored(store)) == {batch[0], batch[2], batch[4]}


async def test_a_batch_beyond_a_statements_parameters_is_written_whole(store: Store) -> None:
    locals_ = [Local(id=f"l{i:05}", organization_id="o", name="L") for i in range(6_000)]
    holder = User(
        id="u", organization_id="o", email="u@o", locals=frozenset(local.id for local in locals_)
    )

    await put(store, Organization(id="o", name="O"), *locals_, holder)

    assert await stored_user(store, "u") == holder


async def test_granting_and_revoking_say_whether_they_changed_anything(store: Store) -> None:
    await put(store, *WORLD)

    assert await store.grant("ana", "sur", by=SYSTEM) is True
    assert await is_assigned(store, "ana", "sur")
    assert await store.grant("ana", "sur", by=SYSTEM) is False
    assert await store.revoke("ana", "sur", by=SYSTEM) is True
    assert not await is_assigned(store, "ana", "sur")
    assert await store.revoke("ana", "sur", by=SYSTEM) is False
    assert await stored_user(store, "ana") == ANA


@pytest.mark.parametrize(
    ("user_id", "local_id", "kind", "named"),
    [
        ("nobody", "centro", NotFound, "user 'nobody'"),
        ("ana", "nothing", NotFound, "local 'nothing'"),
        ("ana", "puerto", Conflict, "local 'puerto'"),
        ("ana", "", InvalidRequest, "local_id"),
        ("\n", "centro", InvalidRequest, "user_id"),
    ],
)
async def test_no_assignment_joins_what_does_not_belong_together(
    store: Store, user_id: str, local_id: str, kind: type[ServiceError], named: str
) -> None:
    await put(store, *WORLD)

    for change in (store.grant, store.revoke):
        with pytest.raises(kind, match=named):
            await change(user_id, local_id, by=SYSTEM)


async def test_writers_in_parallel_all_succeed_and_readers_never_wait(
    store: Store, database_url: str
) -> None:
    await put(store, *WORLD)
    other_engine = open_database(database_url)
    other = Store(other_engine)
    try:
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            for i in range(10):
                user = User(id=f"u{i}", organization_id="acme", email=f"u{i}@acme.test")
                tasks.create_task(put((store, other)[i % 2], user))
                tasks.create_task(facts(store, query("ana", "acme", "centro")))
    finally:
        await other_engine.dispose()

    assert len(await stored(store)) == len(WORLD) + 10


async def test_of_two_processes_that_take_one_email_at_once_one_is_refused(
    store: Store, database_url: str
) -> None:
    await put(store, *WORLD)
    other_engine = open_database(database_url)
    try:
        outcomes = await asyncio.gather(
            store.put_each(
                [User(id="u", organization_id="acme", email="same@acme.test")], by=SYSTEM
            ),
            Store(other_engine).put_each(
                [User(id="v", organization_id="acme", email="same@acme.test")], by=SYSTEM
            ),
        )
    finally:
        await other_engine.dispose()

    [[rejection]] = filter(None, outcomes)
    assert type(rejection.error) is Conflict
