"""What `Transport` promises, asked of gRPC and REST (new and old) and the fake alike."""

import asyncio

import pytest

from catalogsvc.authz.errors import (
    AuthProtocolError,
    AuthUnavailable,
    InvalidRequest,
    InvalidToken,
    UnknownUser,
)
from catalogsvc.authz.model import ROWS_MAX, LocalQuery, Reason
from catalogsvc.authz.transport import AsOf, Failure, PathFailed, Transport
from svckit import errors
from tests.contract.authz.fake_auth import FakeAuth, Said
from tests.contract.authz.wires import QUERY, ROW, row, soon


async def check(transport: Transport, *, timeout_s: float = 5.0) -> tuple[Reason, str]:
    """The reason and the name of the one row."""
    checked = await transport.check_locals([ROW], deadline=soon(timeout_s))
    (reason,), (name,) = checked.reasons, checked.local_names
    return reason, name


async def test_a_yes_carries_the_name_of_the_local(transport: Transport, fake: FakeAuth) -> None:
    fake.decisions[QUERY] = Said(True, "Centro")

    assert await check(transport) == (Reason.ALLOWED, "Centro")


async def test_rows_are_answered_in_their_order(transport: Transport, fake: FakeAuth) -> None:
    rows = [row(number) for number in range(ROWS_MAX)]
    for number in range(0, ROWS_MAX, 7):
        query = LocalQuery(user_id=f"u{number}", organization_id="o1", local_id="l1")
        fake.decisions[query] = Said(True, f"Local {number}")

    checked = await transport.check_locals(rows, deadline=soon(30.0))

    assert [
        (reason is Reason.ALLOWED, name)
        for reason, name in zip(checked.reasons, checked.local_names, strict=True)
    ] == [
        (True, f"Local {number}") if number % 7 == 0 else (False, "") for number in range(ROWS_MAX)
    ]
    assert fake.asked == ROWS_MAX


async def test_an_answer_says_as_of_when_it_is_or_that_nobody_said(
    transport: Transport, fake: FakeAuth
) -> None:
    fake.revision, fake.age_ms, fake.database_id = 7, 250, "db-9"
    fake.tokens["good"] = ("u1", "o1", ())
    fake.permissions["u1"] = ()

    checked = await transport.check_locals([ROW], deadline=soon())
    verified = await transport.verify_token("good", deadline=soon())
    permitted = await transport.get_user_permissions("u1", deadline=soon())

    said = (verified.expires_at, permitted.organization_id)
    assert checked.as_of == verified.as_of == permitted.as_of
    if checked.as_of == AsOf():
        assert said == (None, "")
    else:
        assert checked.as_of == AsOf(database_id="db-9", revision=7, age_s=0.25)
        assert said == (fake.expires_at, "o1")


async def test_a_batch_is_all_or_nothing(transport: Transport, fake: FakeAuth) -> None:
    fake.decisions[QUERY] = Said(True, "Centro", "NOT_ASSIGNED")

    with pytest.raises(PathFailed):
        await transport.check_locals([row(2), ROW, row(3)], deadline=soon())


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.ALLOWED])
async def test_a_no_carries_its_reason_and_no_name(
    transport: Transport, fake: FakeAuth, reason: Reason
) -> None:
    fake.decisions[QUERY] = Said(False, "Centro", reason)

    assert await check(transport) == (reason, "")


@pytest.mark.parametrize("words", ["ALLOWED", "no entry, sorry", "", "allowed"])
async def test_a_no_in_whatever_words_is_a_no(
    transport: Transport, fake: FakeAuth, words: str
) -> None:
    fake.decisions[QUERY] = Said(False, "", words)

    assert await check(transport) == (Reason.DENIED, "")


async def test_a_yes_with_a_reason_to_deny_is_not_taken(
    transport: Transport, fake: FakeAuth
) -> None:
    fake.decisions[QUERY] = Said(True, "Centro", "NOT_ASSIGNED")

    with pytest.raises(PathFailed) as caught:
        await check(transport)

    assert caught.value.failure is Failure.UNINTELLIGIBLE


@pytest.mark.parametrize(
    "text", ["../x", "a/b", "..", ".", "a?b=c&d#e%f", "%2e%2e", "ñandú ☃", "a b+c", "a;b:c@d", "\\"]
)
async def test_any_id_reaches_auth_unchanged(
    transport: Transport, fake: FakeAuth, text: str
) -> None:
    query = LocalQuery(user_id=text, organization_id=text, local_id=text)
    fake.decisions[query] = Said(True, "Centro")
    fake.permissions[text] = ("catalog:read",)

    checked = await transport.check_locals([(text, text, text)], deadline=soon())
    permitted = await transport.get_user_permissions(text, deadline=soon())

    assert list(checked.reasons) == [Reason.ALLOWED]
    assert permitted.permissions == {"catalog:read"}


async def test_a_valid_token_names_whom_it_speaks_for(transport: Transport, fake: FakeAuth) -> None:
    fake.tokens["good"] = ("u1", "o1", ("catalog:read", "catalog:edit"))

    verified = await transport.verify_token("good", deadline=soon())

    identity = verified.identity
    assert (identity.user_id, identity.organization_id) == ("u1", "o1")
    assert identity.permissions == {"catalog:read", "catalog:edit"}


async def test_an_invalid_token_says_why(transport: Transport, fake: FakeAuth) -> None:
    fake.bad_token_reason = "token expired"

    with pytest.raises(InvalidToken) as caught:
        await transport.verify_token("bad", deadline=soon())

    assert caught.value.reason == "token expired"


async def test_a_valid_token_of_no_one_is_not_taken(transport: Transport, fake: FakeAuth) -> None:
    fake.tokens["good"] = ("", "o1", ())

    with pytest.raises(PathFailed) as caught:
        await transport.verify_token("good", deadline=soon())

    assert caught.value.failure is Failure.UNINTELLIGIBLE


async def test_an_unknown_user_is_an_answer(transport: Transport) -> None:
    with pytest.raises(UnknownUser):
        await transport.get_user_permissions("nobody", deadline=soon())


async def test_a_user_without_permissions_has_none(transport: Transport, fake: FakeAuth) -> None:
    fake.permissions["u1"] = ()

    permitted = await transport.get_user_permissions("u1", deadline=soon())

    assert permitted.permissions == frozenset()


@pytest.mark.parametrize("trouble", [errors.Unauthenticated("no"), errors.Forbidden("no")])
async def test_a_refused_credential_is_not_a_denial(
    transport: Transport, fake: FakeAuth, trouble: errors.ServiceError
) -> None:
    fake.trouble = trouble

    with pytest.raises(AuthProtocolError) as caught:
        await check(transport)

    assert caught.value.tried == (transport.name,)


async def test_overload_says_when_to_come_back(transport: Transport, fake: FakeAuth) -> None:
    fake.trouble = errors.Overloaded("busy", retry_after_s=7.0)

    with pytest.raises(AuthUnavailable) as caught:
        await check(transport)

    assert caught.value.retry_after_s == 7.0


async def test_a_malformed_question_is_the_callers_fault(
    transport: Transport, fake: FakeAuth
) -> None:
    fake.trouble = errors.InvalidRequest("no such thing")

    with pytest.raises(InvalidRequest):
        await check(transport)


async def test_a_question_that_cannot_be_unknown_breaks_the_contract(
    transport: Transport, fake: FakeAuth
) -> None:
    fake.trouble = errors.NotFound("what?")

    with pytest.raises(AuthProtocolError):
        await check(transport)


@pytest.mark.parametrize(
    "trouble",
    [errors.Unavailable("store down"), errors.Internal("1"), errors.Conflict("what?")],
)
async def test_a_server_in_trouble_is_no_answer(
    transport: Transport, fake: FakeAuth, trouble: errors.ServiceError
) -> None:
    fake.trouble = trouble

    with pytest.raises(PathFailed) as caught:
        await check(transport)

    assert caught.value.failure is Failure.BROKEN_OFF


async def test_a_silent_server_costs_the_deadline_and_no_more(
    transport: Transport, fake: FakeAuth
) -> None:
    fake.is_silent = True
    deadline = soon(0.1)

    with pytest.raises(PathFailed) as caught:
        await transport.check_locals([ROW], deadline=deadline)

    assert caught.value.failure is Failure.TIMED_OUT
    assert asyncio.get_running_loop().time() < deadline.at + 0.5


async def test_a_failed_call_leaves_its_task_uncancelled(
    transport: Transport, fake: FakeAuth
) -> None:
    fake.is_silent = True
    task = asyncio.current_task()
    assert task is not None

    with pytest.raises(PathFailed):
        await check(transport, timeout_s=0.05)

    assert task.cancelling() == 0


async def test_a_cancelled_call_is_cancelled(transport: Transport, fake: FakeAuth) -> None:
    fake.is_silent = True
    call = asyncio.create_task(check(transport))
    await asyncio.wait_for(fake.was_asked.wait(), timeout=5)

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
