"""Administrators among each other: tenants apart, the platform out of reach, one admin at least."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.authsvc.admin_world import Answer, World, open_world
from tests.postgres import PostgresServer

ADMIN = "/api/v1/admin"
USER = {"organization_id": "acme", "email": "x@x.test", "status": "active"}
ROLE = {"organization_id": "acme", "name": "R", "permissions": ["a:b"]}


@pytest.fixture(params=("sqlite", "postgresql"))
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    url = f"sqlite+aiosqlite:///{tmp_path}/auth.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    async with open_world(url) as world:
        yield world


# Each with a place for an id: of another organization, or of nothing.
QUESTIONS: list[tuple[str, str, str, object]] = [
    ("GET", "organizations/{}", "bazar", None),
    ("PUT", "organizations/{}", "bazar", {"name": "X", "status": "active"}),
    ("GET", "organizations?organization_id={}", "bazar", None),
    ("GET", "users?organization_id={}", "bazar", None),
    ("GET", "locals?organization_id={}", "bazar", None),
    ("GET", "roles?organization_id={}", "bazar", None),
    ("GET", "audit?organization_id={}", "bazar", None),
    ("GET", "audit?actor={}", "eva", None),
    ("GET", "users/{}", "eva", None),
    ("PUT", "users/{}", "eva", USER),
    ("PUT", "users/{}", "eva", USER | {"organization_id": "bazar"}),
    ("PUT", "users/{}/locals/centro", "eva", None),
    ("DELETE", "users/{}/locals/puerto", "eva", None),
    ("PUT", "users/{}/roles/cashier", "eva", None),
    ("DELETE", "users/{}/roles/bazar-admin", "eva", None),
    ("PUT", "users/luis/locals/{}", "puerto", None),
    ("DELETE", "users/luis/locals/{}", "puerto", None),
    ("PUT", "users/luis/roles/{}", "bazar-admin", None),
    ("PUT", "users/luis/roles/{}", "platform", None),
    ("DELETE", "users/luis/roles/{}", "bazar-admin", None),
    ("GET", "locals/{}", "puerto", None),
    ("PUT", "locals/{}", "puerto", {"organization_id": "acme", "name": "X", "status": "active"}),
    ("GET", "roles/{}", "bazar-admin", None),
    ("PUT", "roles/{}", "bazar-admin", ROLE),
]


def shape(answer: Answer, id_: str) -> tuple[int, bytes, set[str]]:
    names = {name.lower() for name in answer.headers}
    return answer.status, answer.body.replace(id_.encode(), b"ID"), names


async def test_another_organizations_ids_look_exactly_like_unknown_ones(world: World) -> None:
    for method, target, id_, body in QUESTIONS:
        for headers in ({}, {"if-match": "*"}, {"if-none-match": "*"}):
            foreign, unknown = [
                shape(
                    await world.ask(
                        method,
                        f"{ADMIN}/{target.format(one)}",
                        by="admin",
                        body=body,
                        headers=headers,
                    ),
                    one,
                )
                for one in (id_, "unknown")
            ]
            assert foreign == unknown, (method, target)
            assert foreign[0] in (200, 204, 403, 404, 412)


async def test_naming_anothers_things_in_a_body_is_as_naming_nothing(world: World) -> None:
    for field, id_ in (("locals", "puerto"), ("roles", "bazar-admin"), ("roles", "platform")):
        foreign, unknown = [
            shape(
                await world.ask(
                    "PUT", f"{ADMIN}/users/luis", by="admin", body=USER | {field: [one]}
                ),
                one,
            )
            for one in (id_, "unknown")
        ]
        assert foreign == unknown
        assert foreign[0] == 404


BEYOND: list[tuple[str, str, object]] = [
    ("PUT", "organizations/new", {"name": "New", "status": "active"}),
    ("PUT", "organizations/acme", {"name": "Acme", "status": "inactive"}),
    ("PUT", "roles/acme:r", ROLE | {"permissions": ["platform:admin"]}),
    ("PUT", "roles/cashier", ROLE | {"permissions": ["platform:anything"]}),
    ("PUT", "roles/acme-platform", ROLE),
    ("PUT", "users/acme:u", USER | {"roles": ["acme-platform"]}),
    ("PUT", "users/luis", USER | {"roles": ["acme-platform"]}),
    ("PUT", "users/luis/roles/acme-platform", None),
    ("PUT", "users/ana/roles/acme-platform", None),
    ("PUT", "users/sam", USER),
    ("PUT", "users/sam", USER | {"roles": ["acme-platform"], "status": "inactive"}),
    ("DELETE", "users/sam/roles/acme-platform", None),
    ("DELETE", "users/sam/locals/centro", None),
    ("PUT", "users/sam/locals/centro", None),
    ("PUT", "users/sam/roles/cashier", None),
]


async def test_an_organizations_admin_cannot_reach_the_platform(world: World) -> None:
    for method, target, body in BEYOND:
        answer = await world.ask(method, f"{ADMIN}/{target}", by="admin", body=body)
        assert (answer.status, answer.json["title"]) == (403, "Forbidden"), target

    changed = await world.ask("GET", f"{ADMIN}/audit?actor=ana", by="platform")
    assert {row["action"] for row in changed.json["items"]} == {"access.denied"}


ROOT = {
    "organization_id": "portero",
    "email": "root@portero.test",
    "status": "active",
    "roles": ["platform"],
}
ENDS: list[tuple[str, str, object]] = [
    ("PUT", "users/root", ROOT | {"status": "inactive"}),
    ("PUT", "users/root", ROOT | {"roles": []}),
    ("DELETE", "users/root/roles/platform", None),
    ("PUT", "roles/platform", {"organization_id": "portero", "name": "p", "permissions": []}),
    ("PUT", "organizations/portero", {"name": "Portero", "status": "inactive"}),
]


@pytest.mark.parametrize(("method", "target", "body"), ENDS)
async def test_the_last_platform_admin_stays_one(
    world: World, method: str, target: str, body: object
) -> None:
    answer = await world.ask(method, f"{ADMIN}/{target}", by="platform", body=body)

    assert answer.status == 409
    assert answer.json["detail"] == "that would leave nobody with platform:admin"
    assert (await world.ask("GET", f"{ADMIN}/organizations/acme", by="platform")).status == 200


async def until_admitted(world: World, by: str) -> None:
    """The news of a new permission arrives within the promise."""
    async with asyncio.timeout(2.0):
        while (await world.ask("GET", f"{ADMIN}/users/root", by=by)).status != 200:  # noqa: ASYNC110 # nothing tells a client
            await asyncio.sleep(0.01)


async def test_of_two_platform_admins_who_remove_each_other_one_remains(world: World) -> None:
    await world.ask("PUT", f"{ADMIN}/roles/acme:top", by="platform", body=ROLE | {
        "permissions": ["platform:admin"]})  # fmt: skip
    await world.ask("PUT", f"{ADMIN}/users/luis/roles/acme:top", by="platform")
    await until_admitted(world, "user")

    answers = await asyncio.gather(
        world.ask("DELETE", f"{ADMIN}/users/root/roles/platform", by="user"),
        world.ask("DELETE", f"{ADMIN}/users/luis/roles/acme:top", by="platform"),
    )

    # The one who came second was no admin any more when it was their turn.
    assert sorted(answer.status for answer in answers) == [204, 403]


async def test_each_refusal_is_in_the_log_without_the_token_and_never_a_flood(
    world: World,
) -> None:
    secret = "canary-7f3a9d"
    for _ in range(30):
        await world.ask("GET", f"{ADMIN}/users", headers={"authorization": f"Bearer {secret}"})
        await world.ask("GET", f"{ADMIN}/users", by="user")
    rows = await world.ask("GET", f"{ADMIN}/audit?action=access.denied", by="platform")

    assert secret.encode() not in rows.body
    assert world.tokens["user"].encode() not in rows.body
    assert [
        (row["actor_kind"], row["actor_id"], row["organization_id"], row["target"], row["after"])
        for row in rows.json["items"]
    ] == [
        ("user", "luis", "acme", f"route:GET {ADMIN}/users", {"status": 403, "count": 1}),
        (
            "stranger",
            "",
            None,
            f"route:GET {ADMIN}/users",
            {"status": 401, "count": 1, "address": "127.0.0.1"},
        ),
    ]


async def test_an_organizations_admin_reads_its_own_log_and_no_other(world: World) -> None:
    await world.ask("PUT", f"{ADMIN}/users/luis/locals/norte", by="admin")
    await world.ask("PUT", f"{ADMIN}/locals/puerto", by="other", body={
        "organization_id": "bazar", "name": "New", "status": "active"})  # fmt: skip

    async def told(by: str, query: str = "") -> set[tuple[str | None, str]]:
        rows = (await world.ask("GET", f"{ADMIN}/audit?page_size=1000{query}", by=by)).json
        return {(row["organization_id"], row["action"]) for row in rows["items"]}

    assert ("acme", "assignment.add") in await told("admin")
    assert {organization for organization, _ in await told("admin")} == {"acme"}
    assert {organization for organization, _ in await told("other")} == {"bazar"}
    assert {o for o, _ in await told("platform")} == {"acme", "bazar", "portero", None}
    assert await told("platform", "&organization_id=bazar&actor=eva") == {("bazar", "local.change")}
    assert await told("platform", "&until=1") == set()
    assert await told("platform", "&since=9007199254740992") == set()


async def test_the_log_is_read_page_by_page_newest_first(world: World) -> None:
    ids: list[int] = []
    token = ""
    while True:
        target = f"{ADMIN}/audit?page_size=3&page_token={token}"
        page = (await world.ask("GET", target, by="platform")).json
        ids += [row["id"] for row in page["items"]]
        token = page["next_page_token"]
        if not token:
            break

    assert ids == sorted(ids, reverse=True)
    assert len(ids) == len(set(ids)) == 17
    for bad in ("eA", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"):  # x, -1, and far too large
        answer = await world.ask("GET", f"{ADMIN}/audit?page_token={bad}", by="platform")
        assert answer.status == 400
