"""Auth over REST: the shapes that clients know, and no answer where there is none."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.types import ASGIApp

from authsvc.asking import RPCS
from authsvc.rest_api import AuthRest
from svckit.address import Address
from svckit.openapi import openapi_document
from svckit.rest import rest_app
from tests.asgi import HttpAnswer, ask
from tests.unit.authsvc.service_at_hand import NOW, ServiceAtHand

# Port 1 is privileged and unused: whoever asks there is refused at once.
NOBODY = Address("127.0.0.1", 1)
VALIDATE = "/api/v1/locals/l1/validate?user_id=u1&organization_id=o1"
JSON = {"content-type": "application/json"}


class Setting(ServiceAtHand):
    """The REST app over a store in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.rest = AuthRest(self.service, grpc_address=NOBODY)
        self.app: ASGIApp = rest_app(self.rest.endpoints(), report_bug=str, timeout_s=5)

    @property
    def as_of(self) -> dict[str, Any]:
        """What each answer says of when it was true."""
        return {"revision": self.store.revision, "age_ms": 0, "database_id": "d1"}

    async def verify(self, body: bytes) -> HttpAnswer:
        return await ask(self.app, "POST", "/api/v1/tokens/verify", body=[body], headers=JSON)


async def test_a_yes_has_the_name_of_the_local_and_no_message() -> None:
    a = Setting()

    answer = await ask(a.app, "GET", VALIDATE)

    assert (answer.status, answer.json()) == (
        200,
        {
            "is_valid": True,
            "local_name": "Centro",
            "reason": "ALLOWED",
            "error_message": "",
            **a.as_of,
        },
    )


async def test_a_no_is_an_answer_with_its_reason_and_without_a_name() -> None:
    a = Setting()

    answer = await ask(a.app, "GET", VALIDATE.replace("l1", "l2"))

    assert (answer.status, answer.json()) == (
        200,
        {
            "is_valid": False,
            "local_name": "",
            "reason": "NOT_ASSIGNED",
            "error_message": "NOT_ASSIGNED",
            **a.as_of,
        },
    )


async def test_a_local_with_a_slash_in_its_id_is_asked_about_as_it_is() -> None:
    a = Setting()
    a.store.put_local("norte/2")
    a.store.put_user("u1", locals_={"norte/2"})

    answer = await ask(a.app, "GET", VALIDATE.replace("l1", "norte%2F2"))

    assert answer.json()["is_valid"] is True


@pytest.mark.parametrize(
    ("target", "detail"),
    [
        ("/api/v1/locals/l1/validate", "Object missing required field `user_id`"),
        (
            "/api/v1/locals/l1/validate?user_id=u1",
            "Object missing required field `organization_id`",
        ),
        (VALIDATE.replace("u1", ""), "user_id is empty"),
        (VALIDATE.replace("o1", "%00"), "organization_id holds a control character"),
        (VALIDATE.replace("l1", "%0A"), "local_id holds a control character"),
        (VALIDATE + "&user_id=u2", "a query parameter is given twice"),
    ],
)
async def test_half_a_question_is_invalid_and_never_a_denial(target: str, detail: str) -> None:
    answer = await ask(Setting().app, "GET", target)

    assert (answer.status, answer.json()["detail"]) == (400, detail)
    assert "is_valid" not in answer.json()


async def test_a_store_that_is_down_is_a_problem_and_never_a_denial() -> None:
    a = Setting()
    a.store.is_down = True

    for target in (VALIDATE, "/api/v1/users/u1/permissions"):
        answer = await ask(a.app, "GET", target)
        assert (answer.status, answer.json()["detail"]) == (503, "the store is down")
        assert answer.headers["retry-after"] == "1"


async def test_a_good_token_says_whom_it_speaks_for() -> None:
    a = Setting()
    token = await a.token()

    answer = await a.verify(b'{"token":"%s"}' % token.encode())

    assert (answer.status, answer.json()) == (
        200,
        {
            "is_valid": True,
            "user_id": "u1",
            "organization_id": "o1",
            "permissions": ["catalog:edit", "catalog:read"],
            "error_message": "",
            "expires_at": int(NOW) + 600,
            **a.as_of,
        },
    )


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 10_000, "\\u0000"])
async def test_a_bad_token_is_an_answer_with_a_short_sentence(token: str) -> None:
    answer = await Setting().verify(b'{"token":"%s"}' % token.encode())

    assert (answer.status, answer.json()) == (
        200,
        {
            "is_valid": False,
            "user_id": "",
            "organization_id": "",
            "permissions": [],
            "error_message": "malformed token",
            "expires_at": 0,
            "revision": 0,
            "age_ms": 0,
            "database_id": "",
        },
    )


@pytest.mark.parametrize("body", [b"{}", b'{"token":1}', b'{"token":"x","more":1}', b""])
async def test_a_question_without_a_token_is_invalid(body: bytes) -> None:
    assert (await Setting().verify(body)).status == 400


async def test_permissions_are_listed() -> None:
    a = Setting()

    answer = await ask(a.app, "GET", "/api/v1/users/u1/permissions")

    permissions = ["catalog:edit", "catalog:read"]
    assert (answer.status, answer.json()) == (
        200,
        {"permissions": permissions, "organization_id": "o1", **a.as_of},
    )


async def test_permissions_of_an_unknown_user_are_not_found() -> None:
    answer = await ask(Setting().app, "GET", "/api/v1/users/nobody/permissions")

    assert (answer.status, answer.json()["detail"]) == (404, "no such user")


async def test_a_grpc_port_where_nobody_answers_is_unavailable() -> None:
    answer = await ask(Setting().app, "GET", "/health/grpc")

    assert (answer.status, answer.json()["detail"]) == (503, "gRPC is UNREACHABLE")


def test_the_openapi_document_is_valid_and_has_every_endpoint() -> None:
    endpoints = Setting().rest.endpoints()

    document: dict[str, Any] = openapi_document(endpoints, title="Auth", version="1")

    OpenAPIV31SpecValidator(document).validate()
    assert set(document["paths"]) == {
        "/api/v1/locals/{local_id}/validate",
        "/api/v1/tokens/verify",
        "/api/v1/users/{user_id}/permissions",
        "/health/grpc",
        "/api/v1/locals/validate",
        "/api/v1/users/{user_id}/locals",
        "/api/v1/locals/{local_id}/users",
        "/api/v1/explain",
    }
    answer = document["components"]["schemas"]["LocalAnswer"]
    assert set(answer["required"]) == {
        *("is_valid", "local_name", "reason", "error_message"),
        *("revision", "age_ms", "database_id"),
    }


def test_every_endpoint_about_users_and_locals_is_as_closed_as_an_rpc() -> None:
    endpoints = Setting().rest.endpoints()

    rpcs = {endpoint.path: endpoint.rpc for endpoint in endpoints}

    # Who adds one here has thought about who may call it.
    assert {path for path, rpc in rpcs.items() if not rpc} == {"/health/grpc"}
    assert {rpc for rpc in rpcs.values() if rpc} <= set(RPCS)
