"""Administration over a real socket, on both databases: bad input first, and lost updates."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.authsvc.admin_world import Answer, World, open_world
from tests.postgres import PostgresServer

ADMIN = "/api/v1/admin"
LUIS = {
    "organization_id": "acme",
    "email": "luis@acme.test",
    "status": "active",
    "roles": ["cashier"],
    "locals": ["centro"],
}
ROOT = {
    "organization_id": "portero",
    "email": "root@portero.test",
    "status": "active",
    "roles": ["platform"],
}


@pytest.fixture(params=("sqlite", "postgresql"))
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    url = f"sqlite+aiosqlite:///{tmp_path}/auth.db"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    async with open_world(url) as world:
        yield world


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[World]:
    """Where the kind of database makes no difference."""
    async with open_world(f"sqlite+aiosqlite:///{tmp_path}/auth.db") as world:
        yield world


async def put_user(world: World, id_: str, body: object, by: str = "admin") -> Answer:
    return await world.ask("PUT", f"{ADMIN}/users/{id_}", by=by, body=body)


async def test_what_is_put_is_there_with_its_tag_and_putting_it_again_changes_nothing(
    world: World,
) -> None:
    target = f"{ADMIN}/users/acme:new"
    body = LUIS | {"email": "new@acme.test"}

    made = await world.ask("PUT", target, by="admin", body=body)
    again = await world.ask("PUT", target, by="admin", body=body)
    got = await world.ask("GET", target, by="admin")

    assert (made.status, again.status, got.status) == (201, 200, 200)
    assert got.json == body | {"id": "acme:new"}
    assert made.headers["etag"] == again.headers["etag"] == got.headers["etag"]
    rows = (await world.ask("GET", f"{ADMIN}/audit?action=user.make&actor=ana", by="admin")).json
    assert [row["target"] for row in rows["items"]] == ["user:acme:new"]


@pytest.mark.parametrize(
    ("noun", "id_", "body"),
    [
        ("organizations", "acme", {"name": "New", "status": "active"}),
        ("locals", "centro", {"organization_id": "acme", "name": "New", "status": "inactive"}),
        ("roles", "cashier", {"organization_id": "acme", "name": "New", "permissions": ["a:b"]}),
        ("users", "luis", LUIS | {"email": "other@acme.test"}),
    ],
)
async def test_of_two_edits_of_one_state_the_second_is_refused(
    world: World, noun: str, id_: str, body: object
) -> None:
    target = f"{ADMIN}/{noun}/{id_}"
    tag = (await world.ask("GET", target, by="admin")).headers["etag"]

    answers = await asyncio.gather(
        *(
            world.ask("PUT", target, by=by, body=body, headers={"if-match": tag})
            for by in ("admin", "platform")
        )
    )

    assert sorted(answer.status for answer in answers) == [200, 412]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-none-match": "*"}, 412),
        ({"if-match": '"x"'}, 412),
        ({"if-match": "*"}, 200),
        ({"if-match": "x"}, 400),
        ({"if-none-match": '"x"'}, 400),
    ],
)
async def test_what_is_not_as_the_caller_expects_is_left_alone(
    small: World, headers: dict[str, str], status: int
) -> None:
    target = f"{ADMIN}/users/luis"
    body = LUIS | {"status": "inactive"}

    answer = await small.ask("PUT", target, by="admin", body=body, headers=headers)

    assert answer.status == status
    is_changed = (await small.ask("GET", target, by="admin")).json["status"] == "inactive"
    assert is_changed is (status == 200)


SHAPELESS = (b"", b"{", b"[]", b"null", b'"x"', b"[" * 5000, b"{}", b"\xff")
BAD_BODIES: dict[str, list[object]] = {
    "organizations": [*SHAPELESS, {"name": "x", "status": "gone"}, {"name": "x", "id": "acme"}],
    "locals": [*SHAPELESS, {"organization_id": "acme", "name": "L", "code": "x" * 257}],
    "roles": [
        *SHAPELESS,
        *(
            {"organization_id": "acme", "name": "R", "permissions": [permission]}
            # The last two look like platform:admin: a Cyrillic a, and a wide colon.
            for permission in (
                *("*", "a:b ", "", "Platform:admin", "x" * 257),
                *("pl\u0430tform:admin", "platform\uff1aadmin"),
            )
        ),
    ],
    "users": [
        *SHAPELESS,
        *(
            LUIS | bad
            for bad in (
                *({"id": "luis"}, {"more": 1}, {"email": 1}, {"email": ""}, {"email": " "}),
                *({"email": "x" * 257}, {"email": "a\x00b@x"}, {"status": "ACTIVE"}),
                *({"status": None}, {"roles": "cashier"}, {"roles": [1]}, {"roles": [""]}),
                *({"locals": ["x" * 129]}, {"organization_id": ""}, {"organization_id": "\n"}),
            )
        ),
    ],
}


@pytest.mark.parametrize(
    ("noun", "id_"),
    [("organizations", "acme"), ("locals", "centro"), ("roles", "cashier"), ("users", "luis")],
)
async def test_a_body_of_the_wrong_shape_is_refused_and_nothing_is_changed(
    small: World, noun: str, id_: str
) -> None:
    target = f"{ADMIN}/{noun}/{id_}"
    before = (await small.ask("GET", target, by="platform")).json

    for body in BAD_BODIES[noun]:
        assert (await small.ask("PUT", target, by="platform", body=body)).status == 400, body

    assert (await small.ask("GET", target, by="platform")).json == before


@pytest.mark.parametrize(
    ("one", "body"),
    [
        ("organizations/acme", {"name": "Acme"}),
        ("locals/centro", {"organization_id": "acme", "name": "Centro", "code": "C1"}),
        ("users/luis", {"organization_id": "acme", "email": "luis@acme.test"}),
    ],
)
async def test_what_is_inactive_stays_so_until_it_is_said_to_be_active(
    small: World, one: str, body: dict[str, str]
) -> None:
    target = f"{ADMIN}/{one}"
    shut = await small.ask("PUT", target, by="platform", body=body | {"status": "inactive"})
    assert shut.status == 200

    assert (await small.ask("PUT", target, by="platform", body=body)).status == 400
    assert (await small.ask("GET", target, by="platform")).json["status"] == "inactive"


async def test_a_query_that_makes_no_sense_is_refused(small: World) -> None:
    for query in (
        *("page_size=-1", "page_size=1001", "page_size=x", "page_token=!", "page_token=%00"),
        *("more=1", "status=gone", "status=", "prefix=a&prefix=b", "prefix=%ff"),
    ):
        answer = await small.ask("GET", f"{ADMIN}/users?{query}", by="platform")
        assert answer.status == 400, query


@pytest.mark.parametrize("email", ["ANA@ACME.TEST", "ana@acme.test"])
async def test_an_email_belongs_to_one_user_however_it_is_written(world: World, email: str) -> None:
    answer = await put_user(world, "luis", LUIS | {"email": email})

    assert (answer.status, answer.json["title"]) == (409, "Conflict")
    # A look-alike is another email, as it is to every mail server.
    assert (await put_user(world, "luis", LUIS | {"email": "an\u0430@acme.test"})).status == 200


@pytest.mark.parametrize("text", ["' OR 1=1 --", '"; DROP TABLE users; --\\', "%", "_*"])
async def test_what_means_something_to_a_database_means_nothing_here(
    world: World, text: str
) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in text.encode())

    for query in ("prefix", "organization_id"):
        listed = await world.ask("GET", f"{ADMIN}/users?{query}={quoted}", by="platform")
        assert (listed.status, listed.json["items"]) == (200, [])
    for query in ("actor", "action"):
        listed = await world.ask("GET", f"{ADMIN}/audit?{query}={quoted}", by="platform")
        assert (listed.status, listed.json["items"]) == (200, [])
    assert (await world.ask("GET", f"{ADMIN}/users/{quoted}", by="platform")).status == 404
    made = await world.ask(
        "PUT",
        f"{ADMIN}/organizations/{quoted}",
        by="platform",
        body={"name": text, "status": "active"},
    )
    found = await world.ask("GET", f"{ADMIN}/organizations?prefix={quoted}", by="platform")
    assert (made.status, [item["id"] for item in found.json["items"]]) == (201, [text])


async def test_lists_are_filtered_and_cut_into_pages(world: World) -> None:
    async def ids(query: str, by: str = "platform") -> list[str]:
        found, token = [], ""
        while True:
            target = f"{ADMIN}/users?page_size=2&{query}&page_token={token}"
            page = (await world.ask("GET", target, by=by)).json
            assert len(page["items"]) <= 2
            found += [item["id"] for item in page["items"]]
            token = page["next_page_token"]
            if not token:
                return found

    await put_user(world, "luis", LUIS | {"status": "inactive"})

    assert await ids("") == ["ana", "eva", "luis", "root", "sam"]
    assert await ids("", by="admin") == ["ana", "luis", "sam"]
    assert await ids("organization_id=acme&status=active") == ["ana", "sam"]
    assert await ids("prefix=LUIS%40") == ["luis"]
    assert await ids("prefix=l&status=active") == []
    assert await ids("organization_id=bazar", by="admin") == []


async def test_nothing_is_deleted_but_what_a_user_holds(small: World) -> None:
    for target in ("organizations/acme", "users/luis", "roles/cashier", "locals/centro", "audit"):
        for method in ("DELETE", "PATCH", "POST"):
            answer = await small.ask(method, f"{ADMIN}/{target}", by="platform", body={})
            assert answer.status == 405


async def test_a_role_and_a_local_are_given_and_taken_however_often_it_is_said(
    world: World,
) -> None:
    held = ("locals/norte", "roles/acme-admin")

    async def tell(method: str) -> list[int]:
        targets = [f"{ADMIN}/users/luis/{what}" for what in (*held, *held)]
        return [(await world.ask(method, target, by="admin")).status for target in targets]

    given = await tell("PUT")
    with_both = (await world.ask("GET", f"{ADMIN}/users/luis", by="admin")).json
    taken = await tell("DELETE")
    without = (await world.ask("GET", f"{ADMIN}/users/luis", by="admin")).json

    assert given == taken == [204] * 4
    assert with_both["locals"] == ["centro", "norte"]
    assert with_both["roles"] == ["acme-admin", "cashier"]
    assert (without["locals"], without["roles"]) == (["centro"], ["cashier"])


async def test_who_is_no_admin_any_more_is_refused_by_the_next_write(world: World) -> None:
    await world.ask("DELETE", f"{ADMIN}/users/ana/roles/acme-admin", by="platform")

    # Reads may be as late as the promise; a write asks again beside what it changes.
    assert (await put_user(world, "luis", LUIS | {"status": "inactive"})).status == 403
    assert (await world.ask("GET", f"{ADMIN}/users/luis", by="platform")).json["status"] == "active"
