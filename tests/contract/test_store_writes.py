"""Putting, granting and revoking: what becomes true, and what is refused with nothing changed."""

import asyncio
from dataclasses import replace

import pytest

from authsvc.model import Entity, Local, Organization, Role, Status, User
from authsvc.store import Counts, Store
from svckit.database import open_database
from svckit.errors import Conflict, InvalidRequest, NotFound, ServiceError
from tests.contract.entities import ANA, WORLD, query


async def is_assigned(store: Store, user_id: str, local_id: str) -> bool:
    return (await store.access_facts(query(user_id, "acme", local_id))).is_assigned


async def test_putting_the_same_twice_changes_nothing(store: Store) -> None:
    await store.put(WORLD)
    await store.put(WORLD)

    assert await store.counts() == Counts(organizations=2, locals=4, roles=3, users=2)
    assert await store.user("ana") == ANA


async def test_entities_may_stand_in_any_order(store: Store) -> None:
    await store.put(tuple(reversed(WORLD)))

    assert await store.user("ana") == ANA


async def test_a_user_holds_exactly_what_its_last_put_names(store: Store) -> None:
    await store.put(WORLD)
    changed = replace(
        ANA,
        email="Ana.Two@acme.test",
        status=Status.INACTIVE,
        roles=frozenset({"idle"}),
        locals=frozenset({"centro", "sur"}),
    )

    await store.put([changed])

    assert await store.user("ana") == changed


async def test_a_role_has_exactly_the_permissions_of_its_last_put(store: Store) -> None:
    await store.put(WORLD)

    await store.put([Role(id="manager", organization_id="acme", name="M", permissions=frozenset())])

    facts = await store.permission_facts("ana")
    assert facts is not None
    assert facts.role_permissions == {"catalog:read", "sale:make"}


async def test_the_last_of_two_entities_with_one_id_counts(store: Store) -> None:
    twice = [Organization(id="o", name="first"), Organization(id="o", name="last")]

    await store.put([*twice, Local(id="l", organization_id="o", name="L")])

    assert [entity.name async for entity in store.export() if isinstance(entity, Organization)] == [
        "last"
    ]


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
async def test_a_bad_entity_is_refused_by_kind_and_id_and_nothing_is_written(
    store: Store, bad: Entity, kind: type[ServiceError], named: tuple[str, str]
) -> None:
    await store.put(WORLD)
    before = [entity async for entity in store.export()]

    with pytest.raises(kind) as failure:
        await store.put([Organization(id="new", name="New"), bad])

    assert all(word in failure.value.detail for word in named)
    assert "acme" not in failure.value.detail
    assert [entity async for entity in store.export()] == before


async def test_a_broken_text_is_refused_before_the_database_sees_it(store: Store) -> None:
    with pytest.raises(InvalidRequest, match="control character"):
        await store.put([Organization(id="o", name="a\x00b")])

    assert await store.is_empty()


async def test_one_email_may_serve_in_two_organizations(store: Store) -> None:
    await store.put(WORLD)

    await store.put([User(id="ana2", organization_id="bazar", email="ana@acme.test")])

    assert await store.user("ana2") is not None


async def test_emails_are_one_when_their_casefolded_forms_are(store: Store) -> None:
    await store.put(WORLD)
    await store.put([User(id="u", organization_id="acme", email="STRASSE@a.test")])

    with pytest.raises(Conflict):
        await store.put([User(id="v", organization_id="acme", email="straße@a.test")])


async def test_a_user_may_respell_its_own_email(store: Store) -> None:
    await store.put(WORLD)

    await store.put([replace(ANA, email="ANA@acme.test")])

    user = await store.user("ana")
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

    rejections = await store.put_each(batch)

    assert [(rejection.index, type(rejection.error)) for rejection in rejections] == [
        (1, NotFound),
        (3, NotFound),
        (5, Conflict),
    ]
    assert await store.counts() == Counts(organizations=1, locals=1, users=1)


async def test_a_batch_beyond_a_statements_parameters_is_written_whole(store: Store) -> None:
    locals_ = [Local(id=f"l{i:05}", organization_id="o", name="L") for i in range(6_000)]
    holder = User(
        id="u", organization_id="o", email="u@o", locals=frozenset(local.id for local in locals_)
    )

    await store.put([Organization(id="o", name="O"), *locals_, holder])

    assert await store.user("u") == holder


async def test_granting_and_revoking_say_whether_they_changed_anything(store: Store) -> None:
    await store.put(WORLD)

    assert await store.grant("ana", "sur") is True
    assert await is_assigned(store, "ana", "sur")
    assert await store.grant("ana", "sur") is False
    assert await store.revoke("ana", "sur") is True
    assert not await is_assigned(store, "ana", "sur")
    assert await store.revoke("ana", "sur") is False
    assert await store.user("ana") == ANA


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
    await store.put(WORLD)

    for change in (store.grant, store.revoke):
        with pytest.raises(kind, match=named):
            await change(user_id, local_id)


async def test_writers_in_parallel_all_succeed_and_readers_never_wait(
    store: Store, database_url: str
) -> None:
    await store.put(WORLD)
    other_engine = open_database(database_url)
    other = Store(other_engine)
    try:
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            for i in range(10):
                user = User(id=f"u{i}", organization_id="acme", email=f"u{i}@acme.test")
                tasks.create_task((store, other)[i % 2].put([user]))
                tasks.create_task(store.access_facts(query("ana", "acme", "centro")))
    finally:
        await other_engine.dispose()

    assert (await store.counts()).users == 12


async def test_of_two_processes_that_take_one_email_at_once_one_is_refused(
    store: Store, database_url: str
) -> None:
    await store.put(WORLD)
    other_engine = open_database(database_url)
    try:
        outcomes = await asyncio.gather(
            store.put([User(id="u", organization_id="acme", email="same@acme.test")]),
            Store(other_engine).put([User(id="v", organization_id="acme", email="same@acme.test")]),
            return_exceptions=True,
        )
    finally:
        await other_engine.dispose()

    assert {type(outcome) for outcome in outcomes} == {type(None), Conflict}
