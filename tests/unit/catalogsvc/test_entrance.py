"""Who is let in, who is not and why, and what is never said or done for a stranger."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from catalogsvc.authz import Reason, Source
from catalogsvc.entrance import HELD_S_MAX, Permission
from tests.asgi import HttpAnswer
from tests.unit.catalogsvc.conftest import Catalog

PRODUCT = {"name": "Espresso", "sku": "C-001", "price_minor": 150, "currency": "EUR"}

# Every request there is, the permission it takes, and a body it would accept.
REQUESTS = [
    ("GET", "products", Permission.READ, None),
    ("POST", "products", Permission.CREATE, PRODUCT),
    ("GET", "products/x", Permission.READ, None),
    ("PATCH", "products/x", Permission.EDIT, {"name": "Doppio"}),
    ("DELETE", "products/x", Permission.DELETE, None),
]
each_request = pytest.mark.parametrize(("method", "path", "permission", "body"), REQUESTS)


def _detail(answer: HttpAnswer) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    detail: str = answer.json()["detail"]
    return detail


@each_request
async def test_a_request_without_a_good_token_is_401_and_says_what_is_wanted(
    catalog: Catalog, method: str, path: str, permission: Permission, body: object
) -> None:
    for token in ("", "unknown", "not a token", "é"):
        answer = await catalog.ask(method, f"centro/{path}", by=token, body=body)

        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "x-auth-source" not in answer.headers


@each_request
async def test_a_missing_permission_is_403_and_named(
    catalog: Catalog, method: str, path: str, permission: Permission, body: object
) -> None:
    others = set(Permission) - {permission}
    catalog.doorman.knows("clerk", organization_id="demo", permissions=others)
    catalog.doorman.decides("clerk", "centro", Reason.ALLOWED)

    answer = await catalog.ask(method, f"centro/{path}", by="clerk", body=body)

    assert (answer.status, _detail(answer)) == (403, f"missing permission {permission}")


@each_request
async def test_the_one_permission_is_enough(
    catalog: Catalog, method: str, path: str, permission: Permission, body: object
) -> None:
    catalog.doorman.knows("clerk", organization_id="demo", permissions={permission})
    catalog.doorman.decides("clerk", "centro", Reason.ALLOWED)

    answer = await catalog.ask(method, f"centro/{path}", by="clerk", body=body)

    assert answer.status in (200, 201, 404)


@each_request
@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.ALLOWED])
async def test_a_denied_local_is_403_with_the_reason(
    catalog: Catalog, method: str, path: str, permission: Permission, body: object, reason: Reason
) -> None:
    catalog.doorman.decides("luis", "centro", reason)

    answer = await catalog.ask(method, f"centro/{path}", body=body)

    assert (answer.status, _detail(answer)) == (403, reason.value)
    assert answer.headers["x-auth-source"] == "GRPC"
    assert await catalog.store.is_empty()


@each_request
async def test_an_auth_that_is_down_is_503_and_nobody_is_called_denied(
    catalog: Catalog, method: str, path: str, permission: Permission, body: object
) -> None:
    catalog.doorman.state = "down"

    answer = await catalog.ask(method, f"centro/{path}", body=body)

    assert answer.status == 503
    assert answer.headers["retry-after"] == "7"
    assert b"denied" not in answer.body.lower()
    assert "x-auth-source" not in answer.headers


@each_request
async def test_a_silent_auth_is_503_within_the_time_of_the_call(
    open_catalog: Callable[..., Catalog],
    method: str,
    path: str,
    permission: Permission,
    body: object,
) -> None:
    catalog = open_catalog(timeout_s=0.2)
    catalog.doorman.state = "silent"

    answer = await catalog.ask(method, f"centro/{path}", body=body)

    assert answer.status == 503
    assert "retry-after" in answer.headers


@each_request
async def test_one_deadline_holds_for_all_that_auth_is_asked(
    catalog: Catalog, method: str, path: str, permission: Permission, body: object
) -> None:
    await catalog.ask(method, f"centro/{path}", body=body)

    token_deadline, local_deadline = catalog.doorman.deadlines
    assert token_deadline == local_deadline


@each_request
async def test_a_permission_that_ends_while_the_decision_is_waited_for_is_not_used(
    catalog: Catalog, method: str, path: str, permission: Permission, body: object
) -> None:
    def lose_the_role() -> None:
        catalog.clock.now += HELD_S_MAX + 0.01
        catalog.doorman.knows("luis", organization_id="demo", permissions=set())

    catalog.doorman.meanwhile = [_nothing, lose_the_role]

    answer = await catalog.ask(method, f"centro/{path}", body=body)

    assert (answer.status, _detail(answer)) == (403, f"missing permission {permission}")
    assert await catalog.store.is_empty()


@each_request
async def test_a_decision_that_ends_while_its_yes_is_waiting_for_the_token_is_not_used(
    catalog: Catalog, method: str, path: str, permission: Permission, body: object
) -> None:
    def wait() -> None:
        catalog.clock.now += HELD_S_MAX + 0.01

    def lose_the_local() -> None:
        wait()
        catalog.doorman.decides("luis", "centro", Reason.NOT_ASSIGNED)

    catalog.doorman.meanwhile = [_nothing, wait, lose_the_local]

    answer = await catalog.ask(method, f"centro/{path}", body=body)

    assert (answer.status, _detail(answer)) == (403, "NOT_ASSIGNED")
    assert await catalog.store.is_empty()


@pytest.mark.parametrize(
    ("waits_s", "status", "asked"),
    [
        ([0.0], 200, 2),
        ([9.0, 9.0, 0.0], 200, 4),
        ([9.0, 0.0, 9.0, 0.0, 0.0], 200, 6),
        ([9.0, 0.0, 9.0, 0.0, 9.0], 503, 6),
    ],
)
async def test_what_does_not_come_together_is_asked_for_again_a_few_times(
    catalog: Catalog, waits_s: list[float], status: int, asked: int
) -> None:
    def waiting(wait_s: float) -> Callable[[], None]:
        def wait() -> None:
            catalog.clock.now += wait_s

        return wait

    catalog.doorman.meanwhile = [_nothing, *map(waiting, waits_s)]

    answer = await catalog.ask("GET", "centro/products")

    assert (answer.status, len(catalog.doorman.deadlines)) == (status, asked)


def _nothing() -> None: ...


@pytest.mark.parametrize("source", Source)
@each_request
async def test_each_answer_after_the_decision_says_where_it_came_from(
    catalog: Catalog,
    method: str,
    path: str,
    permission: Permission,
    body: object,
    source: Source,
) -> None:
    catalog.doorman.source = source

    answer = await catalog.ask(method, f"centro/{path}", body=body)

    assert answer.headers["x-auth-source"] == source


@pytest.mark.parametrize("raw", [b"", b"{", b"null", b"[" * 100_000, b"x" * 300_000])
async def test_the_body_of_who_is_not_let_in_is_not_judged(catalog: Catalog, raw: bytes) -> None:
    catalog.doorman.decides("luis", "norte", Reason.NOT_ASSIGNED)
    for method, path in (("POST", "products"), ("PATCH", "products/x")):
        stranger = await catalog.ask(method, f"centro/{path}", by="", raw=raw)
        reader = await catalog.ask(method, f"centro/{path}", by="ana", raw=raw)
        denied = await catalog.ask(method, f"norte/{path}", raw=raw)

        assert (stranger.status, reader.status, denied.status) == (401, 403, 403)


async def test_the_rest_of_the_path_and_the_query_are_not_judged_either(catalog: Catalog) -> None:
    for path in ("%00/products", "centro/products/%00", "centro/products?limit=x"):
        assert (await catalog.ask("GET", path, by="")).status == 401
    catalog.doorman.decides("luis", "norte", Reason.NOT_ASSIGNED)
    for path in ("norte/products/%00", "norte/products?limit=x"):
        assert (await catalog.ask("GET", path)).status == 403


@pytest.mark.parametrize("local_id", ["a/b", "../centro", "centro%2F", "ñ 日本", "?#&=", "centro/"])
async def test_auth_is_asked_about_the_very_local_that_is_entered(
    catalog: Catalog, local_id: str
) -> None:
    path = f"{quote(local_id, safe='')}/products"
    assert (await catalog.ask("GET", path)).status == 403

    catalog.doorman.decides("luis", local_id, Reason.ALLOWED)

    answer = await catalog.ask("POST", path, body=PRODUCT)
    assert answer.status == 201
    assert answer.json()["local_id"] == local_id
    again = await catalog.ask("GET", answer.headers["location"].removeprefix("/api/v1/locals/"))
    assert again.json() == answer.json()
