"""Sessions, passwords and failed logins at rest, on both databases."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from authsvc.access import AccessPage
from authsvc.audit import OPERATOR
from authsvc.login_limits import FORGOTTEN_AFTER_S, Attempt, Scope, limit_keys
from authsvc.model import Organization, Status
from authsvc.store.schema import login_failures, metadata, sessions
from authsvc.tokens import BadToken
from authsvc.trimming import trimming_sessions
from svckit.errors import NotFound, Unauthenticated
from tests.contract.store.stored import changes_since, here, put
from tests.sessions_at_hand import ANA, PASSWORD, SessionsAtHand, sessions_at_hand


@pytest.fixture
async def a(database_url: str) -> AsyncIterator[SessionsAtHand]:
    async with sessions_at_hand(database_url) as at_hand:
        yield at_hand


async def test_a_login_is_a_session_of_the_user_a_change_on_the_feed_and_an_audit_row(
    a: SessionsAtHand,
) -> None:
    before = await here(a.store)

    started = await a.start()

    assert (await a.user()).sessions == {started["session_id"]}
    (change,) = await changes_since(a.store, before)
    assert (change.organization_id, change.user_id, change.local_id) == ("acme", "ana", None)
    row = (await a.audited())[-1]
    assert (row.actor_kind, row.actor_id, row.action, row.target, row.revision) == (
        *("user", "ana", "session.start", f"session:{started['session_id']}"),
        change.revision,
    )


async def test_a_process_that_has_not_heard_of_a_session_yet_believes_its_tokens(
    a: SessionsAtHand,
) -> None:
    await a.follow()
    bare = await a.service.issue_token("ana")
    assert (await a.replica.verify_token(bare)).user_id == "ana"  # and knows her from now on

    started = await a.start()

    assert (await a.replica.verify_token(started["access_token"])).user_id == "ana"
    assert (await a.post("logout", token=started["access_token"])).status == 204
    await a.follow()
    with pytest.raises(BadToken, match=r"^session ended$"):
        await a.replica.verify_token(started["access_token"])


async def test_a_token_whose_session_is_known_to_be_over_costs_no_read(
    a: SessionsAtHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = await a.start()
    assert (await a.post("logout", token=started["access_token"])).status == 204
    await a.follow()
    read_access, reads = a.store.read_access, []

    async def counted_read(**wanted: Any) -> AccessPage:
        reads.append(wanted)
        return await read_access(**wanted)

    monkeypatch.setattr(a.store, "read_access", counted_read)
    told = []
    for seconds in (0, 7, 1, 1):
        a.now += seconds
        with pytest.raises(BadToken, match=r"^session ended$"):
            await a.replica.verify_token(started["access_token"])
        told.append(len(reads))

    # Of the user, and twice more while the session may be one that is not known here yet.
    assert told == [2, 3, 3, 3]


async def test_a_refresh_stays_in_its_session_and_is_no_change_on_the_feed(
    a: SessionsAtHand,
) -> None:
    started = await a.start()
    before = await here(a.store)

    answer = await a.refresh(started["refresh_token"])

    assert answer.json()["session_id"] == started["session_id"]
    assert answer.json()["refresh_token"] != started["refresh_token"]
    assert await changes_since(a.store, before) == []
    assert (await a.service.verify_token(answer.json()["access_token"])).user_id == "ana"


async def test_a_refresh_token_used_twice_ends_its_session_and_no_other(
    a: SessionsAtHand,
) -> None:
    stolen, other = await a.start(), await a.start()
    refreshed = (await a.refresh(stolen["refresh_token"])).json()
    before = await here(a.store)

    reused = await a.refresh(stolen["refresh_token"])

    assert reused.status == 401
    assert (await a.refresh(refreshed["refresh_token"])).status == 401
    with pytest.raises(BadToken, match=r"^session ended$"):
        await a.service.verify_token(refreshed["access_token"])
    assert (await a.user()).sessions == {other["session_id"]}
    assert len(await changes_since(a.store, before)) == 1
    (row,) = [row for row in await a.audited() if row.action == "session.end"]
    assert (row.actor_kind, row.action, row.target, row.after) == (
        *("stranger", "session.end", f"session:{stolen['session_id']}"),
        '{"reason":"refresh token used twice","user_id":"ana"}',
    )
    (line,) = a.logged.calls
    assert (line.method_name, line.kwargs) == (
        "warning",
        {"event": "refresh_reused", "session_id": stolen["session_id"]},
    )


async def test_of_two_who_refresh_at_once_one_wins_and_the_session_is_over(
    a: SessionsAtHand,
) -> None:
    started = await a.start()

    answers = await asyncio.gather(*(a.refresh(started["refresh_token"]) for _ in range(2)))

    assert sorted(answer.status for answer in answers) == [200, 401]
    (winner,) = (answer.json() for answer in answers if answer.status == 200)
    with pytest.raises(BadToken, match=r"^session ended$"):
        await a.service.verify_token(winner["access_token"])
    assert (await a.user()).sessions == frozenset()


async def test_making_a_user_inactive_ends_what_they_have_for_good(a: SessionsAtHand) -> None:
    started = await a.start()
    bare = await a.service.issue_token("ana")
    a.now += 0.5

    await put(a.store, replace(ANA, status=Status.INACTIVE))
    await put(a.store, ANA)

    for token, reason in ((started["access_token"], "session ended"), (bare, "token revoked")):
        with pytest.raises(BadToken, match=f"^{reason}$"):
            await a.service.verify_token(token)
    assert (await a.refresh(started["refresh_token"])).status == 401
    # The very same second: what is new is good.
    assert (await a.service.verify_token(await a.service.issue_token("ana"))).user_id == "ana"
    assert (await a.service.verify_token((await a.start())["access_token"])).user_id == "ana"


async def test_what_was_issued_between_two_shut_outs_within_a_second_is_over_as_well(
    a: SessionsAtHand,
) -> None:
    await a.sessions.set_password("ana", PASSWORD, by=OPERATOR)
    between = await a.service.issue_token("ana")
    await a.sessions.set_password("ana", PASSWORD, by=OPERATOR)

    with pytest.raises(BadToken, match=r"^token revoked$"):
        await a.service.verify_token(between)
    assert (await a.service.verify_token(await a.service.issue_token("ana"))).user_id == "ana"


async def test_writing_a_user_again_does_not_bring_revoked_tokens_back(a: SessionsAtHand) -> None:
    token = await a.service.issue_token("ana")
    await a.sessions.set_password("ana", PASSWORD, by=OPERATOR)

    await put(a.store, replace(ANA, email="ana2@acme.test"))

    with pytest.raises(BadToken, match=r"^token revoked$"):
        await a.service.verify_token(token)


async def test_a_suspended_organization_cannot_refresh_and_goes_on_when_it_is_back(
    a: SessionsAtHand,
) -> None:
    started = await a.start()

    await put(a.store, Organization(id="acme", name="Acme", status=Status.INACTIVE))
    refused = await a.refresh(started["refresh_token"])
    await put(a.store, Organization(id="acme", name="Acme"))

    assert refused.status == 401
    assert (await a.refresh(started["refresh_token"])).status == 200


async def test_the_operator_sets_a_password_and_all_sessions_end(a: SessionsAtHand) -> None:
    started = await a.start()

    await a.sessions.set_password("ana", "another password", by=OPERATOR)

    assert (await a.refresh(started["refresh_token"])).status == 401
    assert (await a.log_in()).status == 401
    assert (await a.log_in(password="another password")).status == 200
    with pytest.raises(NotFound):
        await a.sessions.set_password("nobody", "another password", by=OPERATOR)


async def test_a_user_has_twenty_sessions_and_the_oldest_makes_room(a: SessionsAtHand) -> None:
    started = []
    for _ in range(21):
        a.now += 1
        started.append((await a.start())["session_id"])

    assert (await a.user()).sessions == set(started[1:])
    ended = [row for row in await a.audited() if row.action == "session.end"]
    assert [(row.target, row.after) for row in ended] == [
        (f"session:{started[0]}", '{"reason":"too many","user_id":"ana"}')
    ]


async def test_only_the_users_own_sessions_end(a: SessionsAtHand) -> None:
    await a.sessions.set_password("bea", PASSWORD, by=OPERATOR)
    own, others = await a.start(), await a.start()
    bea = await a.log_in(organization_id="bazar", email="bea@bazar.test")

    with pytest.raises(NotFound, match=r"^no such session$"):
        await a.sessions.end("bea", own["session_id"], by=OPERATOR, reason="ended")
    await a.sessions.end("ana", own["session_id"], by=OPERATOR, reason="ended")

    assert (await a.user()).sessions == {others["session_id"]}
    assert (await a.user("bea")).sessions == {bea.json()["session_id"]}
    assert await a.sessions.end_all("ana", by=OPERATOR) == 1
    assert await a.sessions.end_all("ana", by=OPERATOR) == 0


async def test_a_password_that_changes_while_it_is_hashed_starts_no_session(
    a: SessionsAtHand,
) -> None:
    verify = a.passwords.is_match

    async def meanwhile(stored: str | None, password: bytes) -> bool:
        is_match = await verify(stored, password)
        await put(a.store, replace(ANA, status=Status.INACTIVE))
        return is_match

    a.passwords.is_match = meanwhile  # type: ignore[method-assign] # the moment between two steps

    with pytest.raises(Unauthenticated):
        await a.sessions.log_in(
            organization_id="acme", email=ANA.email, password=PASSWORD, network="n"
        )

    assert (await a.user()).sessions == frozenset()
    assert (await a.audited())[-1].after == '{"reason":"changed during the login"}'


@pytest.mark.parametrize("is_session_over", [True, False])
async def test_a_change_of_the_password_that_is_overtaken_changes_nothing(
    a: SessionsAtHand, is_session_over: bool
) -> None:
    started, hash_password = await a.start(), a.passwords.hash

    async def meanwhile(password: bytes) -> str:
        if is_session_over:
            await a.sessions.end_all("ana", by=OPERATOR)
        else:
            await put(a.store, replace(ANA, email="ana2@acme.test"))
        return await hash_password(password)

    a.passwords.hash = meanwhile  # type: ignore[method-assign] # the moment between two steps
    change = {"current_password": PASSWORD, "new_password": "another password"}

    answer = await a.post("password", change, token=started["access_token"])

    assert (answer.status, answer.json()["detail"]) == (403, "the current password is wrong")
    email = ANA.email if is_session_over else "ana2@acme.test"
    assert (await a.log_in(email=email)).status == 200
    assert (await a.log_in(email=email, password="another password")).status == 401


async def test_a_change_of_the_password_leaves_nothing_to_whoever_had_the_refresh_token(
    a: SessionsAtHand,
) -> None:
    started = await a.start()
    change = {"current_password": PASSWORD, "new_password": "another password"}

    changed = (await a.post("password", change, token=started["access_token"])).json()

    stolen = await a.refresh(started["refresh_token"])
    assert (stolen.status, stolen.json()["detail"]) == (401, "the refresh token is not valid")
    assert changed["session_id"] == started["session_id"]
    assert (await a.service.verify_token(changed["access_token"])).user_id == "ana"
    again = (await a.refresh(changed["refresh_token"])).json()
    # It has a family of its own: what was used before is recognized again.
    assert (await a.refresh(changed["refresh_token"])).status == 401
    assert (await a.refresh(again["refresh_token"])).status == 401


async def test_after_a_change_of_the_password_only_the_network_it_came_from_is_known(
    a: SessionsAtHand,
) -> None:
    for network in ("n1", "n2"):
        started = await a.sessions.log_in(
            organization_id="acme", email=ANA.email, password=PASSWORD, network=network
        )
    assert len((await a.session_store.account("ana")).known_networks) == 2

    await a.sessions.change_password(
        "ana", started.session.id, current=PASSWORD, new="another password", network="n3"
    )

    attempt = Attempt(organization_id="acme", email_folded="ana@acme.test", network="n3")
    here = limit_keys(attempt)[Scope.ACCOUNT_FROM_NETWORK]
    assert (await a.session_store.account("ana")).known_networks == (here,)


async def test_a_session_that_is_over_has_no_password_to_change(a: SessionsAtHand) -> None:
    with pytest.raises(NotFound, match=r"^no such session$"):
        await a.sessions.change_password(
            "ana", "over", current=PASSWORD, new="another password", network="n"
        )


async def test_what_is_over_is_trimmed_while_the_service_runs(
    a: SessionsAtHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authsvc.trimming.TRIM_EVERY_S", 0.001)
    await a.start()
    a.now += 8 * 86_400

    async with trimming_sessions(a.sessions, report_bug=print), asyncio.timeout(10):
        while await counted(a) != (0, 0):  # noqa: ASYNC110 # another task
            await asyncio.sleep(0.001)


async def test_failed_logins_still_count_after_a_restart(
    a: SessionsAtHand, database_url: str
) -> None:
    for _ in range(5):
        assert (await a.log_in(password="wrong password")).status == 401

    async with sessions_at_hand(database_url) as restarted:
        answer = await restarted.log_in()

    assert (answer.status, answer.headers["retry-after"]) == (429, "1")


async def test_what_is_over_is_trimmed_and_what_is_not_stays(a: SessionsAtHand) -> None:
    await a.start()
    await a.log_in(password="wrong password")
    a.now += 6 * 86_400
    await a.start()
    await a.session_store.trim()
    assert await counted(a) == (2, 2)  # the account and the network

    a.now += 2 * 86_400
    await a.session_store.trim()

    assert await counted(a) == (1, 0)
    assert FORGOTTEN_AFTER_S < 2 * 86_400


async def counted(a: SessionsAtHand) -> tuple[int | None, int | None]:
    """Rows of sessions and of tallies."""
    async with a.engine.connect() as connection:
        return (
            await connection.scalar(select(func.count()).select_from(sessions)),
            await connection.scalar(select(func.count()).select_from(login_failures)),
        )


async def test_no_secret_is_stored_as_it_is(a: SessionsAtHand) -> None:
    started = await a.start()
    await a.log_in(password="canary-wrong-password")
    secrets = [
        *started["refresh_token"].removeprefix("prt_").split("."),
        *(PASSWORD, "canary-wrong-password", started["access_token"]),
    ]

    async with a.engine.connect() as connection:
        stored = [
            repr((await connection.execute(table.select())).all())
            for table in metadata.sorted_tables
        ]

    assert [secret for secret in secrets if any(secret in text for text in stored)] == []
