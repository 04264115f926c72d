"""Who may call what: every route of Auth, called by everyone, against the table beside this file.

A new route fails here until it has a row. What is sent is in EXAMPLES, where a path alone does not
say enough. Each call leaves the world as it is, or as good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from svckit.callers import KEY_HEADER
from tests.integration.authsvc.admin_world import CALLERS, World, open_world

TABLE = Path(__file__).with_name("who_may_call.txt")
OPS = ("GET /livez", "GET /readyz", "GET /metrics", "GET /openapi.json")
SERVICE_KEY = "k" * 32
COLUMNS = ("anonymous", *CALLERS, "service")
IDS = {
    "organization_id": "acme",
    "user_id": "luis",
    "role_id": "cashier",
    "local_id": "centro",
    "session_id": "nobody-s",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    query: str = ""
    body: object = None


EXAMPLES = {
    "GET /api/v1/locals/{local_id}/validate": Example(query="?user_id=luis&organization_id=acme"),
    "POST /api/v1/locals/validate": Example(
        body={"user_ids": ["luis"], "organization_ids": ["acme"], "local_ids": ["centro"]}
    ),
    "POST /api/v1/tokens/verify": Example(body={"token": "x"}),
    "GET /api/v1/explain": Example(query="?user_id=luis&organization_id=acme&local_id=centro"),
    # The account is another one for each caller: the sixth who fails in a row has to wait.
    "POST /api/v1/auth/login": Example(
        body={"organization_id": "acme", "email": "%s@acme.test", "password": "not this one"}
    ),
    "POST /api/v1/auth/refresh": Example(body={"refresh_token": "prt_x.y"}),
    "POST /api/v1/auth/password": Example(
        body={"current_password": "not this one", "new_password": "nor that one"}
    ),
    "PUT /api/v1/admin/organizations/{organization_id}": Example(
        body={"name": "Acme", "status": "active"}
    ),
    "PUT /api/v1/admin/locals/{local_id}": Example(
        body={"organization_id": "acme", "name": "Centro", "code": "C1", "status": "active"}
    ),
    "PUT /api/v1/admin/roles/{role_id}": Example(
        body={"organization_id": "acme", "name": "cashier", "permissions": ["catalog:read"]}
    ),
    "PUT /api/v1/admin/users/{user_id}": Example(
        body={
            "organization_id": "acme",
            "email": "luis@acme.test",
            "status": "active",
            "roles": ["cashier"],
            "locals": ["centro"],
        }
    ),
}


def table() -> dict[str, dict[str, str]]:
    """Route -> column -> status."""
    lines = [line for line in TABLE.read_text().splitlines() if line and line[0] != "#"]
    assert lines[0].split() == ["method", "path", *COLUMNS]
    rows = [line.split() for line in lines[1:]]
    assert len({(row[0], row[1]) for row in rows}) == len(rows)
    return {
        f"{method} {path}": dict(zip(COLUMNS, statuses, strict=True))
        for method, path, *statuses in rows
    }


async def routes(world: World) -> set[str]:
    """What the app's own endpoints are, as its contract tells them, and the operator's."""
    paths: Mapping[str, Mapping[str, object]]
    paths = (await world.ask("GET", "/openapi.json")).json["paths"]
    return {f"{method.upper()} {path}" for path, one in paths.items() for method in one} | {*OPS}


async def status_of(world: World, route: str, caller: str) -> str:
    method, path = route.split()
    example = EXAMPLES.get(route, Example())
    by = None if caller in ("anonymous", "service") else caller
    headers = {KEY_HEADER: SERVICE_KEY} if caller == "service" else {}
    target = path.format(**IDS) + example.query
    body = example.body
    if isinstance(body, dict) and "%s" in body.get("email", ""):
        body = {**body, "email": body["email"] % caller}
    answer = await world.ask(method, target, by=by, body=body, headers=headers)
    return str(answer.status)


async def test_every_route_lets_in_whom_the_table_says_and_no_one_else(tmp_path: Path) -> None:
    expected = table()

    url = f"sqlite+aiosqlite:///{tmp_path}/auth.db"
    settings = {"AUTH_SERVICE_KEYS": f"catalog:{SERVICE_KEY}"}
    async with open_world(url, settings=settings) as world:
        assert await routes(world) == expected.keys()
        found = {
            route: {caller: await status_of(world, route, caller) for caller in COLUMNS}
            for route in expected
        }

    assert found == expected


def test_no_row_of_administration_is_open_to_a_stranger_or_a_plain_user() -> None:
    rows = {route: row for route, row in table().items() if "/api/v1/admin/" in route}

    assert len(rows) >= 17
    assert {(row["anonymous"], row["user"]) for row in rows.values()} == {("401", "403")}


@pytest.mark.parametrize("column", COLUMNS)
def test_every_cell_is_a_status(column: str) -> None:
    assert {row[column][0] for row in table().values()} <= {"2", "4"}
