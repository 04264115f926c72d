"""Lists of who may enter where: exactly what the decision allows, page by page."""

from dataclasses import replace
from itertools import product

import pytest

from authsvc.decision import decide
from authsvc.model import Entity, Local, Organization, Status, User
from authsvc.store import Store
from svckit.errors import InvalidRequest, NotFound
from tests.contract.store.entities import ANA, BEA, WORLD, query
from tests.contract.store.stored import access, facts_of, here, put


def every_case() -> list[Entity]:
    """Each status of an organization, its locals and its users, each user at half the locals."""
    world: list[Entity] = []
    for of_organization in Status:
        o = f"o-{of_organization}"
        locals_ = [
            Local(id=f"{o}-l-{status}-{i}", organization_id=o, name=f"L {i}", status=status)
            for status in Status
            for i in range(4)
        ]
        world += [Organization(id=o, name=o, status=of_organization), *locals_]
        world += [
            User(
                id=f"{o}-u-{status}-{i}",
                organization_id=o,
                email=f"{status}{i}@o",
                status=status,
                locals=frozenset(local.id for n, local in enumerate(locals_) if n % 2 == i),
            )
            for status in Status
            for i in range(2)
        ]
    return world


async def test_both_lists_are_the_decision_over_all_pairs(store: Store) -> None:
    world = every_case()
    await put(store, *world)
    users = [entity for entity in world if isinstance(entity, User)]
    locals_ = [entity for entity in world if isinstance(entity, Local)]
    pairs = [query(u.id, u.organization_id, each.id) for u, each in product(users, locals_)]
    page = await access(store, *pairs)
    allowed = {(q.user_id, q.local_id) for q in pairs if decide(facts_of(page, q)).is_valid}

    by_user = {
        (user.id, local_id)
        for user in users
        for local_id, _ in (
            await store.list_user_locals(user_id=user.id, after_id="", limit=100)
        ).rows
    }
    by_local = {
        (user_id, local.id)
        for local in locals_
        for user_id in (
            await store.list_local_users(local_id=local.id, after_id="", limit=100)
        ).rows
    }

    assert by_user == by_local == allowed
    assert allowed


async def test_locals_come_with_their_names_in_the_order_of_their_ids(store: Store) -> None:
    await put(store, *WORLD, replace(ANA, locals=frozenset({"sur", "norte", "centro"})))

    page = await store.list_user_locals(user_id="ana", after_id="", limit=10)

    assert page.rows == (("centro", "Centro"), ("sur", "Sur"))
    assert page.revision == (await here(store)).revision


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
async def test_pages_follow_each_other_without_a_loss_or_a_double(store: Store, limit: int) -> None:
    ids = sorted(["Z", "a", "é", "~", "B", "10", "9", "😀"], key=str.encode)
    users = [
        User(id=each, organization_id="acme", email=f"{each}@a", locals=frozenset({"centro"}))
        for each in ids
    ]
    await put(store, *WORLD, replace(ANA, locals=frozenset()), *users)

    seen: list[str] = []
    while rows := (
        await store.list_local_users(
            local_id="centro", after_id=seen[-1] if seen else "", limit=limit
        )
    ).rows:
        assert len(rows) <= limit
        seen += rows

    assert seen == ids


async def test_what_does_not_exist_is_not_found_and_what_has_nothing_is_empty(
    store: Store,
) -> None:
    await put(store, *WORLD)

    with pytest.raises(NotFound, match="user"):
        await store.list_user_locals(user_id="nobody", after_id="", limit=10)
    with pytest.raises(NotFound, match="local"):
        await store.list_local_users(local_id="nothing", after_id="", limit=10)
    assert (await store.list_user_locals(user_id=BEA.id, after_id="", limit=10)).rows == ()
    assert (await store.list_local_users(local_id="sur", after_id="", limit=10)).rows == ()


@pytest.mark.parametrize("bad_id", ["", "a\x00b", "x" * 129, "\ud800"])
async def test_an_id_that_cannot_be_one_is_refused_before_the_database_sees_it(
    store: Store, bad_id: str
) -> None:
    with pytest.raises(InvalidRequest):
        await store.list_user_locals(user_id=bad_id, after_id="", limit=10)
    with pytest.raises(InvalidRequest):
        await store.list_local_users(local_id=bad_id, after_id="", limit=10)
