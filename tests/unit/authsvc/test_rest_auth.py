"""Sessions over REST: what each caller gets, wrong input first."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from authsvc.audit import OPERATOR, SYSTEM
from authsvc.migrations import MIGRATIONS
from authsvc.model import Organization, Status, User
from authsvc.passwords import PasswordCost, Passwords
from authsvc.rest_auth import LoginQuestion, PasswordQuestion, SessionAnswer
from svckit.migrations import migrate
from svckit.openapi import openapi_document
from tests.asgi import HttpAnswer, ask
from tests.sessions_at_hand import ANA, LIGHT, NOW, PASSWORD, SessionsAtHand, sessions_at_hand

LOGIN = {"organization_id": "acme", "email": "ana@acme.test", "password": PASSWORD}


@pytest.fixture
async def a(tmp_path: Path) -> AsyncIterator[SessionsAtHand]:
    url = f"sqlite+aiosqlite:///{tmp_path}/auth.db"
    await migrate(url, MIGRATIONS)
    async with sessions_at_hand(url) as at_hand:
        yield at_hand


def told(answer: HttpAnswer) -> tuple[int, Any, dict[str, str]]:
    """All of the answer that a stranger sees."""
    return answer.status, answer.json(), answer.headers


async def test_a_login_brings_all_that_a_session_needs_and_no_cache_may_keep_it(
    a: SessionsAtHand,
) -> None:
    answer = await a.log_in()

    started = answer.json()
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (started["token_type"], started["expires_in"]) == ("Bearer", 600)
    assert started["session_expires_at"] == NOW + 7 * 86_400
    identity = await a.service.verify_token(started["access_token"])
    assert (identity.user_id, identity.session_id) == ("ana", started["session_id"])
    assert identity.permissions == ("catalog:read",)


@pytest.mark.parametrize("email", ["ana@acme.test", "ANA@ACME.TEST", "aNa@acme.TEST"])
async def test_an_email_is_the_same_in_any_case(a: SessionsAtHand, email: str) -> None:
    assert (await a.log_in(email=email)).status == 200


async def test_every_reason_to_refuse_a_login_looks_the_same(a: SessionsAtHand) -> None:
    users = [
        User(id="mute", organization_id="acme", email="mute@acme.test"),
        User(id="gone", organization_id="acme", email="gone@acme.test"),
        User(id="left", organization_id="bazar", email="left@bazar.test"),
    ]
    await a.store.put_each(users, by=SYSTEM)
    for user in users[1:]:
        await a.sessions.set_password(user.id, PASSWORD, by=OPERATOR)
    await a.store.put_each([replace(users[1], status=Status.INACTIVE)], by=OPERATOR)
    await a.store.put_each(
        [Organization(id="bazar", name="B", status=Status.INACTIVE)], by=OPERATOR
    )

    answers = {
        "unknown user": await a.log_in(email="nobody@acme.test"),
        "unknown organization": await a.log_in(organization_id="nowhere"),
        "another organization": await a.log_in(organization_id="bazar"),
        "wrong password": await a.log_in(password="wrong password"),
        "short password": await a.log_in(password=""),
        "look-alike password": await a.log_in(password=PASSWORD.replace("o", "\u043e")),
        "no password": await a.log_in(email="mute@acme.test"),
        "inactive user": await a.log_in(email="gone@acme.test"),
        "inactive organization": await a.log_in(organization_id="bazar", email="left@bazar.test"),
        "look-alike email": await a.log_in(email="\u0430na@acme.test"),
        "SQL": await a.log_in(email="' OR 1=1 --"),
        "SQL pattern": await a.log_in(email="%"),
    }

    (looks,) = {repr(told(answer)) for answer in answers.values()}
    assert "401" in looks
    assert "the organization, email or password is wrong" in looks
    rows = [row for row in await a.audited() if row.action == "login.failed"]
    # What follows the first within ten seconds is counted.
    assert (rows[0].organization_id, rows[0].after) == (
        None,
        '{"address":"127.0.0.1","count":1,"reason":"unknown user"}',
    )
    assert [(row.organization_id, row.after) for row in rows[1:]] == [
        (organization_id, f'{{"reason":"{reason}"}}')
        for organization_id, reason in (
            *[("acme", "wrong password")] * 3,
            ("acme", "no password is set"),
            ("acme", "user or organization not active"),
            ("bazar", "user or organization not active"),
        )
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"password": "x" * 1025},
        {"password": "\ufdfa" * 300},
        {"password": 1},
        {"password": None},
        {"email": ""},
        {"email": "x" * 257},
        {"email": "a\u0000b"},
        {"organization_id": ""},
        {"organization_id": "x" * 129},
        {"more": 1},
    ],
)
async def test_a_login_of_the_wrong_shape_is_invalid_and_not_counted(
    a: SessionsAtHand, change: dict[str, Any]
) -> None:
    answer = await a.post("login", LOGIN | change)

    assert answer.status == 400
    assert [row.action for row in await a.audited()] == ["password.change"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'{"password":"\xff"}'])
@pytest.mark.parametrize("what", ["login", "refresh"])
async def test_a_body_of_the_wrong_shape_is_invalid(
    a: SessionsAtHand, what: str, body: bytes
) -> None:
    path = f"/api/v1/auth/{what}"

    answer = await ask(
        a.app, "POST", path, body=[body], headers={"content-type": "application/json"}
    )

    assert answer.status == 400


@pytest.mark.parametrize("email", ["ana@acme.test", "nobody@acme.test"])
async def test_after_five_failures_an_account_waits_whether_it_exists_or_not(
    a: SessionsAtHand, email: str
) -> None:
    for _ in range(5):
        assert (await a.log_in(email=email, password="wrong password")).status == 401

    early = await a.log_in(email=email)

    assert (early.status, early.json()["detail"]) == (429, "too many failed logins; wait a while")
    assert early.headers["retry-after"] == "1"
    a.now += 1
    assert (await a.log_in(email=email)).status == (200 if email.startswith("ana") else 401)
    locked = [row.after for row in await a.audited() if row.action == "login.locked"]
    address = "" if email.startswith("ana") else '"address":"127.0.0.1","count":1,'
    assert locked == [f'{{{address}"scope":"account_from_network"}}']


async def test_a_wait_does_not_depend_on_the_password_and_is_not_counted(
    a: SessionsAtHand,
) -> None:
    for _ in range(6):
        a.now += 1
        await a.log_in(password="wrong password")

    early = [(await a.log_in(password=p)) for p in (PASSWORD, "wrong password", PASSWORD)]

    assert [(e.status, e.headers["retry-after"]) for e in early] == [(429, "2")] * 3
    a.now += 2
    assert (await a.log_in()).status == 200
    assert (await a.log_in(password="wrong password")).status == 401


async def test_a_network_is_slowed_down_whatever_accounts_it_tries(a: SessionsAtHand) -> None:
    for number in range(30):
        assert (await a.log_in(email=f"nobody{number}@acme.test")).status == 401

    assert (await a.log_in()).status == 429
    a.now += 60
    assert (await a.log_in()).status == 200


async def test_a_hash_of_an_older_cost_is_replaced_by_the_login(a: SessionsAtHand) -> None:
    heavier = Passwords(PasswordCost(memory_kib=16, passes=2))
    a.sessions._passwords = heavier
    try:
        assert (await a.log_in()).status == 200
        assert (await a.log_in()).status == 200
    finally:
        heavier.close()

    stored = (await a.session_store.account("ana")).password_hash
    assert stored is not None
    assert stored.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert PasswordCost(memory_kib=16, passes=2) != LIGHT


@pytest.mark.parametrize("token", ["", "x", "prt_x.y", f"prt_{'a' * 32}.{'b' * 32}", "x" * 9999])
async def test_what_is_no_refresh_token_is_refused(a: SessionsAtHand, token: str) -> None:
    answer = await a.refresh(token)

    assert (answer.status, answer.json()["detail"]) == (401, "the refresh token is not valid")


async def test_a_session_ends_when_it_was_idle_for_too_long(a: SessionsAtHand) -> None:
    started = await a.start()
    a.now += 7 * 86_400

    assert (await a.refresh(started["refresh_token"])).status == 401
    answer = await a.ask("GET", "sessions", token=await a.service.issue_token("ana"))
    assert answer.json() == {"sessions": []}


async def test_no_refresh_makes_a_session_or_its_tokens_last_longer_than_it_may(
    a: SessionsAtHand,
) -> None:
    session = await a.start()
    for _ in range(4):
        a.now += 7 * 86_400 - 1
        session = (await a.refresh(session["refresh_token"])).json()
    a.now = NOW + 30 * 86_400 - 10
    last = (await a.refresh(session["refresh_token"])).json()

    assert (last["expires_in"], last["session_expires_at"]) == (10, NOW + 30 * 86_400)
    a.now += 10
    assert (await a.refresh(last["refresh_token"])).status == 401


async def test_logout_ends_the_session_and_its_tokens(a: SessionsAtHand) -> None:
    started, other = await a.start(), await a.start()

    answer = await a.post("logout", token=started["access_token"])

    assert (answer.status, answer.body) == (204, b"")
    again = await a.post("logout", token=started["access_token"])
    assert (again.status, again.json()["detail"]) == (401, "session ended")
    assert (await a.refresh(started["refresh_token"])).status == 401
    assert (await a.refresh(other["refresh_token"])).status == 200
    row = [row for row in await a.audited() if row.action == "session.end"][-1]
    assert (row.actor_kind, row.actor_id) == ("user", "ana")


async def test_ones_own_sessions_are_listed_without_secrets(a: SessionsAtHand) -> None:
    older = await a.start()
    a.now += 60
    newer = await a.start()

    answer = await a.ask("GET", "sessions", token=older["access_token"])

    assert answer.json()["sessions"] == [
        {
            "id": started["session_id"],
            "created_at": at,
            "refreshed_at": at,
            "expires_at": at + 7 * 86_400,
            "is_current": is_current,
        }
        for started, at, is_current in ((newer, NOW + 60, False), (older, NOW, True))
    ]


async def test_another_users_session_looks_like_one_that_does_not_exist(
    a: SessionsAtHand,
) -> None:
    await a.sessions.set_password("bea", PASSWORD, by=OPERATOR)
    bea = (await a.log_in(organization_id="bazar", email="bea@bazar.test")).json()
    ana = await a.start()

    theirs, unknown = [
        await a.ask("DELETE", f"sessions/{id_}", token=ana["access_token"])
        for id_ in (bea["session_id"], "unknown")
    ]

    assert told(theirs) == told(unknown)
    assert theirs.status == 404
    own = await a.ask("DELETE", f"sessions/{ana['session_id']}", token=ana["access_token"])
    assert own.status == 204
    assert (await a.ask("GET", "sessions", token=ana["access_token"])).status == 401
    assert (await a.ask("GET", "sessions", token=bea["access_token"])).status == 200


@pytest.mark.parametrize(
    ("method", "what"),
    [("POST", "logout"), ("GET", "sessions"), ("DELETE", "sessions/x"), ("POST", "password")],
)
@pytest.mark.parametrize("token", [None, "x", "a.b.c"])
async def test_without_a_good_token_nothing_else_is_looked_at(
    a: SessionsAtHand, method: str, what: str, token: str | None
) -> None:
    answer = await a.ask(method, what, token=token)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_refresh_token_is_no_access_token_and_the_other_way_round(
    a: SessionsAtHand,
) -> None:
    started = await a.start()

    assert (await a.post("logout", token=started["refresh_token"])).status == 401
    assert (await a.refresh(started["access_token"])).status == 401
    assert (await a.refresh(started["refresh_token"])).status == 200


async def test_a_new_password_ends_the_other_sessions_and_all_access_tokens(
    a: SessionsAtHand,
) -> None:
    own, other, bare = await a.start(), await a.start(), await a.service.issue_token("ana")
    change = {"current_password": PASSWORD, "new_password": "another password"}

    answer = await a.post("password", change, token=own["access_token"])

    assert answer.status == 200
    fresh = answer.json()["access_token"]
    assert (await a.service.verify_token(fresh)).session_id == own["session_id"]
    for dead in (own["access_token"], other["access_token"], bare):
        assert (await a.ask("GET", "sessions", token=dead)).status == 401
    assert (await a.refresh(other["refresh_token"])).status == 401
    assert (await a.refresh(own["refresh_token"])).status == 401
    assert (await a.refresh(answer.json()["refresh_token"])).status == 200
    assert answer.json()["session_id"] == own["session_id"]
    assert (await a.log_in()).status == 401
    assert (await a.log_in(password="another password")).status == 200


@pytest.mark.parametrize(
    ("change", "status", "detail"),
    [
        ({"current_password": "wrong password"}, 403, "the current password is wrong"),
        ({"new_password": "short"}, 400, "the password is shorter than 8 characters"),
        ({"new_password": "x" * 1025}, 400, "the password is longer than 1024 bytes"),
        ({"current_password": "x" * 1025}, 400, "the password is longer than 1024 bytes"),
        ({"more": 1}, 400, "Object contains unknown field `more`"),
    ],
)
async def test_a_password_that_may_not_be_changed_stays(
    a: SessionsAtHand, change: dict[str, Any], status: int, detail: str
) -> None:
    own = await a.start()
    body = {"current_password": PASSWORD, "new_password": "another password"} | change

    answer = await a.post("password", body, token=own["access_token"])

    assert (answer.status, answer.json()["detail"]) == (status, detail)
    assert (await a.log_in()).status == 200
    assert (await a.ask("GET", "sessions", token=own["access_token"])).status == 200


async def test_a_stolen_access_token_is_no_way_to_guess_the_password_faster(
    a: SessionsAtHand,
) -> None:
    own = await a.start()
    body = {"current_password": "wrong password", "new_password": "another password"}

    statuses = [
        (await a.post("password", body, token=own["access_token"])).status for _ in range(6)
    ]

    assert statuses == [403] * 5 + [429]


async def test_a_token_without_a_session_can_list_and_end_sessions_and_nothing_else(
    a: SessionsAtHand,
) -> None:
    started, bare = await a.start(), await a.service.issue_token("ana")
    change = {"current_password": PASSWORD, "new_password": "another password"}

    assert (await a.post("logout", token=bare)).status == 400
    assert (await a.post("password", change, token=bare)).status == 400
    ended = await a.ask("DELETE", f"sessions/{started['session_id']}", token=bare)
    assert ended.status == 204


@pytest.mark.parametrize(("step_s", "is_good"), [(-5, True), (-6, False), (-60, False), (60, True)])
async def test_a_token_from_a_clock_that_is_ahead_is_good_within_the_leeway(
    a: SessionsAtHand, step_s: int, is_good: bool
) -> None:
    started = await a.start()
    a.now += step_s

    answer = await a.ask("GET", "sessions", token=started["access_token"])

    assert (answer.status == 200) is is_good


@pytest.mark.parametrize(("after_s", "is_good"), [(604, True), (605, False), (660, False)])
async def test_a_token_is_good_for_its_time_and_the_leeway(
    a: SessionsAtHand, after_s: int, is_good: bool
) -> None:
    started = await a.start()
    a.now += after_s

    answer = await a.ask("GET", "sessions", token=started["access_token"])

    assert (answer.status == 200) is is_good


async def test_a_stranger_who_is_refused_has_waited_and_holds_no_place_meanwhile(
    a: SessionsAtHand,
) -> None:
    a.rest._refusal_s = 3600
    asking = [
        asyncio.ensure_future(a.refresh(f"prt_{'a' * 32}.{'b' * 32}")),
        asyncio.ensure_future(a.log_in(password="wrong password")),
    ]
    async with asyncio.timeout(5):
        while len([row for row in await a.audited() if row.actor_kind == "stranger"]) < 2:  # noqa: ASYNC110 # another task
            await asyncio.sleep(0.001)

    assert [task.done() for task in asking] == [False, False]
    assert (a.passwords._places.taken, await a.sessions.of_user("ana")) == (0, ())
    a.rest._refusal_s = 0
    assert (await a.log_in()).status == 200
    for task in asking:
        task.cancel()
    await asyncio.wait(asking)


def test_what_holds_a_secret_is_not_shown() -> None:
    shown = repr(
        (
            LoginQuestion(organization_id="o", email="e", password="canary"),
            PasswordQuestion(current_password="canary", new_password="canary"),
            SessionAnswer(
                access_token="canary",
                token_type="Bearer",
                expires_in=1,
                refresh_token="canary",
                session_id="s",
                session_expires_at=1,
            ),
        )
    )

    assert "canary" not in shown


async def test_the_openapi_document_is_valid_and_has_every_endpoint(a: SessionsAtHand) -> None:
    document = openapi_document(a.rest.endpoints(), title="Auth", version="1")

    OpenAPIV31SpecValidator(document).validate()
    assert set(document["paths"]) == {
        f"/api/v1/auth/{what}"
        for what in (
            *("login", "refresh", "logout", "sessions", "sessions/{session_id}", "password"),
        )
    }


async def test_a_database_that_is_down_is_a_problem_and_never_a_refusal(
    a: SessionsAtHand, tmp_path: Path
) -> None:
    started = await a.start()
    (tmp_path / "auth.db").unlink()

    for answer in (await a.log_in(), await a.refresh(started["refresh_token"])):
        assert answer.status == 503


def test_ana_is_stored_in_another_case_than_she_logs_in() -> None:
    assert ANA.email != LOGIN["email"]
