"""The batch, the lists and the explanation over REST."""

import json
from typing import Any

import pytest
from starlette.types import ASGIApp

from authsvc.rest_access import AccessRest
from svckit.rest import rest_app
from tests.asgi import HttpAnswer, ask
from tests.unit.authsvc.service_at_hand import ServiceAtHand

JSON = {"content-type": "application/json"}
EXPLAIN = "/api/v1/explain?user_id=u1&organization_id=o1&local_id=l2"


class Setting(ServiceAtHand):
    def __init__(self) -> None:
        super().__init__()
        endpoints = AccessRest(self.service).endpoints()
        self.app: ASGIApp = rest_app(endpoints, report_bug=str, timeout_s=5)

    async def validate(self, question: Any) -> HttpAnswer:
        body = json.dumps(question).encode()
        return await ask(self.app, "POST", "/api/v1/locals/validate", body=[body], headers=JSON)


def columns(*rows: tuple[str, str, str]) -> dict[str, list[str]]:
    names = ("user_ids", "organization_ids", "local_ids")
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


async def test_a_batch_is_answered_row_by_row_as_of_one_revision() -> None:
    a = Setting()

    answer = await a.validate(columns(("u1", "o1", "l1"), ("u1", "o1", "l2"), ("u9", "o1", "l1")))

    assert (answer.status, answer.json()) == (
        200,
        {
            "reasons": ["ALLOWED", "NOT_ASSIGNED", "UNKNOWN_USER"],
            "local_names": ["Centro", "", ""],
            "revision": a.store.revision,
            "age_ms": 0,
            "database_id": "d1",
        },
    )


@pytest.mark.parametrize(
    ("question", "detail"),
    [
        (columns(), "a question has 1 to 512 rows"),
        (columns(*[("u", "o", "l")] * 513), "a question has 1 to 512 rows"),
        ({**columns(("u", "o", "l")), "user_ids": []}, "the columns are not equally long"),
        (columns(("u", "o", "l"), ("u", "", "l")), "organization_ids[1] is empty"),
        (columns(("u", "o", "x" * 129)), "local_ids[0] is longer than 128 bytes"),
        (columns(("\ud800", "o", "l")), "user_ids[0] is not valid UTF-8"),
        (columns(("\x7f", "o", "l")), "user_ids[0] holds a control character"),
        ({"user_ids": ["u"]}, "Object missing required field `organization_ids`"),
    ],
)
async def test_a_malformed_batch_is_refused_by_column_and_row(question: Any, detail: str) -> None:
    answer = await Setting().validate(question)

    # JSON itself refuses lone surrogates before we can.
    expected = {detail, "the body is not valid JSON"} if "UTF-8" in detail else {detail}
    assert answer.status == 400
    assert answer.json()["detail"] in expected


async def test_a_batch_is_a_problem_while_the_store_is_down() -> None:
    a = Setting()
    a.store.is_down = True

    assert (await a.validate(columns(("u1", "o1", "l1")))).status == 503


async def test_the_locals_of_a_user_are_listed_page_by_page() -> None:
    a = Setting()
    a.store.put_user("u1", locals_={"l1", "l2"})

    first = (await ask(a.app, "GET", "/api/v1/users/u1/locals?page_size=1")).json()
    token = first["next_page_token"]
    second = (await ask(a.app, "GET", f"/api/v1/users/u1/locals?page_token={token}")).json()

    assert first["locals"] == [{"id": "l1", "name": "Centro"}]
    assert second == {
        "locals": [{"id": "l2", "name": "Norte"}],
        "next_page_token": "",
        "revision": a.store.revision,
    }


async def test_the_users_of_a_local_are_listed() -> None:
    a = Setting()

    answer = await ask(a.app, "GET", "/api/v1/locals/l1/users")

    assert answer.json() == {
        "users": [{"id": "u1"}],
        "next_page_token": "",
        "revision": a.store.revision,
    }


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/v1/users/nobody/locals", 404),
        ("/api/v1/locals/nowhere/users", 404),
        ("/api/v1/users/u1/locals?page_size=1001", 400),
        ("/api/v1/users/u1/locals?page_size=x", 400),
        ("/api/v1/locals/l1/users?page_token=*", 400),
        ("/api/v1/locals/l1/users?page=2", 400),
        ("/api/v1/explain?user_id=u1", 400),
        (EXPLAIN.replace("u1", ""), 400),
    ],
)
async def test_what_cannot_be_listed_or_explained_is_a_problem(target: str, status: int) -> None:
    assert (await ask(Setting().app, "GET", target)).status == status


async def test_an_explanation_has_every_condition_in_its_order() -> None:
    a = Setting()

    answer = (await ask(a.app, "GET", EXPLAIN)).json()

    assert (answer["reason"], answer["local_name"]) == ("NOT_ASSIGNED", "")
    assert answer["revision"] == a.store.revision
    assert [row["holds"] for row in answer["conditions"]] == [True] * 7 + [False]
    assert answer["conditions"][-1] == {
        "condition": "user is assigned to it",
        "holds": False,
        "reason": "NOT_ASSIGNED",
    }
