"""What each write leaves in the audit log, and that somebody keeps the platform."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.audit import OPERATOR, STRANGER, SYSTEM, Actor, ActorKind, AuditEntry, AuditFilter
from authsvc.listing import EntityFilter
from authsvc.model import Entity, Local, Organization, Role, Status, User
from authsvc.store import Administration, Scene, Store
from svckit.errors import Conflict, Forbidden, InvalidRequest, NotFound
from tests.contract.store.entities import ANA, BEA, WORLD
from tests.contract.store.stored import here, put, stored

ROOT_ROLE = Role(
    id="root", organization_id="acme", name="Root", permissions=frozenset({"platform:admin"})
)
ROOT = User(id="root", organization_id="acme", email="root@acme", roles=frozenset({"root"}))
ANA_ACTOR = Actor(kind=ActorKind.USER, id="ana")


@pytest.fixture
def administration(engine: AsyncEngine) -> Administration:
    return Administration(engine, wall_clock=lambda: 1_000.9)


async def told(administration: Administration, limit: int = 1_000) -> list[tuple[str, str]]:
    """Oldest first."""
    rows = await administration.audit_page(AuditFilter(), before_id=2**63 - 1, limit=limit)
    return [(row.entry.action, row.entry.target) for row in reversed(rows)]


async def test_each_entity_that_changes_is_one_row_with_the_revision_of_the_change(
    store: Store, administration: Administration
) -> None:
    await put(store, *WORLD)
    made = await told(administration)
    revision = (await here(store)).revision

    await put(store, *WORLD, replace(ANA, status=Status.INACTIVE))
    await store.grant("ana", "sur", by=OPERATOR)
    await store.revoke("ana", "sur", by=OPERATOR)

    assert len(made) == len(WORLD)
    assert ("user.make", "user:ana") in made
    rows = await administration.audit_page(AuditFilter(), before_id=2**63 - 1, limit=3)
    assert [(r.entry.actor, r.entry.action, r.revision) for r in rows] == [
        (OPERATOR, "assignment.remove", revision + 3),
        (OPERATOR, "assignment.add", revision + 2),
        (SYSTEM, "user.change", revision + 1),
    ]
    assert (rows[2].entry.before, rows[2].entry.after) == (
        {"status": "active"},
        {"status": "inactive"},
    )


async def test_what_changes_nothing_or_is_refused_leaves_no_row(
    store: Store, administration: Administration
) -> None:
    await put(store, *WORLD)
    before = await told(administration)

    await put(store, *WORLD)
    assert not await store.grant("ana", "centro", by=OPERATOR)
    await store.put_each([Local(id="l", organization_id="nowhere", name="L")], by=OPERATOR)
    with pytest.raises(NotFound):
        await store.revoke("nobody", "centro", by=OPERATOR)

    assert await told(administration) == before


@pytest.mark.parametrize(
    "entity",
    [
        replace(ROOT, status=Status.INACTIVE),
        replace(ROOT, roles=frozenset()),
        replace(ROOT_ROLE, permissions=frozenset({"platform:other"})),
        Organization(id="acme", name="Acme", status=Status.INACTIVE),
    ],
)
async def test_the_last_platform_admin_is_not_removed_by_any_write(
    store: Store, administration: Administration, entity: Entity
) -> None:
    await put(store, *WORLD, ROOT_ROLE, ROOT)
    before, rows = await stored(store), await told(administration)

    with pytest.raises(Conflict, match="nobody with platform:admin"):
        await store.put_each([Organization(id="new", name="New"), entity], by=OPERATOR)

    assert (await stored(store), await told(administration)) == (before, rows)
    # Another one in the same write is enough.
    other = User(id="o", organization_id="bazar", email="o@b", roles=frozenset({"other"}))
    other_role = replace(ROOT_ROLE, id="other", organization_id="bazar")
    await put(store, entity, other_role, other, Organization(id="bazar", name="B"))


async def test_where_nobody_holds_the_platform_everything_can_be_written(store: Store) -> None:
    await put(store, *WORLD)

    await put(store, replace(ANA, status=Status.INACTIVE, roles=frozenset()))
    await put(store, Organization(id="acme", name="Acme", status=Status.INACTIVE))
    # One who is not active is no admin that could be lost.
    await put(store, ROOT_ROLE, replace(ROOT, status=Status.INACTIVE))
    await put(store, replace(ROOT_ROLE, permissions=frozenset()))


async def test_two_who_remove_each_other_at_once_leave_one(store: Store) -> None:
    second = replace(ROOT, id="second", email="second@acme")
    await put(store, *WORLD, ROOT_ROLE, ROOT, second)

    outcomes = await asyncio.gather(
        *(
            store.put_each([replace(user, roles=frozenset())], by=OPERATOR)
            for user in (ROOT, second)
        ),
        return_exceptions=True,
    )

    assert {type(outcome) for outcome in outcomes} == {tuple, Conflict}


async def test_an_edit_sees_what_stands_and_what_its_actor_may_by_then(
    store: Store, administration: Administration
) -> None:
    helper = Role(
        id="helper", organization_id="acme", name="H", permissions=frozenset({"platform:x"})
    )
    elsewhere = replace(helper, id="elsewhere", organization_id="bazar")
    near_miss = replace(helper, id="near", permissions=frozenset({"platform-x:y", "platforn:z"}))
    await put(store, *WORLD, helper, elsewhere, near_miss)
    seen: list[Scene] = []

    def change(scene: Scene) -> Entity:
        seen.append(scene)
        return replace(ANA, email="new@acme")

    before, after = await administration.edit(User, "ana", change, confined_to="acme", by=ANA_ACTOR)

    assert (before, after) == (ANA, replace(ANA, email="new@acme"))
    assert seen == [
        Scene(
            before=ANA,
            permissions=frozenset({"catalog:read", "catalog:edit", "sale:make"}),
            platform_roles=frozenset({"helper"}),
        )
    ]
    assert await told(administration, limit=1) == [("user.change", "user:ana")]


@pytest.mark.parametrize("id_", ["bea", "nobody"])
async def test_who_is_confined_finds_nothing_of_others(
    store: Store, administration: Administration, id_: str
) -> None:
    await put(store, *WORLD)

    def change(scene: Scene) -> Entity:
        assert scene.before is None
        raise Forbidden("seen enough")

    assert await administration.find(User, id_, confined_to="acme") is None
    with pytest.raises(Forbidden):
        await administration.edit(User, id_, change, confined_to="acme", by=ANA_ACTOR)
    assert await administration.find(User, "bea", confined_to=None) == BEA


@pytest.mark.parametrize(
    ("entity", "kind"),
    [
        (replace(ANA, email=""), InvalidRequest),
        (replace(ANA, locals=frozenset({"puerto"})), NotFound),
        (replace(ANA, organization_id="bazar"), Conflict),
    ],
)
async def test_an_edit_that_does_not_fit_writes_nothing(
    store: Store, administration: Administration, entity: Entity, kind: type[Exception]
) -> None:
    await put(store, *WORLD)
    before, rows = await stored(store), await told(administration)

    with pytest.raises(kind):
        await administration.edit(User, "ana", lambda _: entity, confined_to=None, by=OPERATOR)

    assert (await stored(store), await told(administration)) == (before, rows)


async def test_prefixes_are_taken_as_they_are_and_emails_folded(
    store: Store, administration: Administration
) -> None:
    odd = [Local(id=f"x{n}", organization_id="acme", name=n) for n in ("a%b", "a_c", "aXd", "Ünal")]
    user = User(id="u", organization_id="acme", email="STRASSE@acme")
    await put(store, *WORLD, *odd, user)

    async def names(prefix: str) -> set[str]:
        page = await administration.page(Local, EntityFilter(prefix=prefix), after_id="", limit=99)
        return {local.name for local in page if isinstance(local, Local)}

    assert (await names("a%"), await names("a_")) == ({"a%b"}, {"a_c"})
    assert (await names("a"), await names("A")) == ({"a%b", "a_c", "aXd"}, set())
    assert await names("Ü") == {"Ünal"}
    by_email = EntityFilter(prefix="straße")
    assert await administration.page(User, by_email, after_id="", limit=9) == (user,)


async def test_what_changed_nothing_is_noted_without_a_revision(
    administration: Administration,
) -> None:
    entry = AuditEntry(
        actor=STRANGER,
        action="access.denied",
        organization_id=None,
        target="route:GET /x",
        after={"status": 401, "count": 1},
    )

    await administration.note([entry])

    [row] = await administration.audit_page(AuditFilter(), before_id=2**63 - 1, limit=9)
    assert (row.entry, row.written_at, row.revision) == (entry, 1_000, None)
