"""What `Transport` promises, asked of gRPC, REST and the fake alike."""

import asyncio

import pytest

from catalogsvc.authz.errors import (
    AuthProtocolError,
    AuthUnavailable,
    InvalidRequest,
    InvalidToken,
    UnknownUser,
)
from catalogsvc.authz.model import LocalQuery, Reason
from catalogsvc.authz.transport import Failure, PathFailed, Transport
from svckit import errors
from svckit.deadline import Deadline
from tests.contract.authz.fake_auth import FakeAuth, Said

QUERY = LocalQuery(user_id="u1", organization_id="o1", local_id="l1")


def soon(timeout_s: float = 5.0) -> Deadline:
    return Deadline.after(timeout_s, now=asyncio.get_running_loop().time())


async def test_a_yes_carries_the_name_of_the_local(transport: Transport, fake: FakeAuth) -> None:
    fake.decisions[QUERY] = Said(True, "Centro")

    decision = await transport.validate_local(QUERY, deadline=soon())

    assert decision
    assert decision.reason is Reason.ALLOWED
    assert decision.local_name == "Centro"


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.ALLOWED])
async def test_a_no_carries_its_reason_and_no_name(
    transport: Transport, fake: FakeAuth, reason: Reason
) -> None:
    fake.decisions[QUERY] = Said(False, "Centro", reason)

    decision = await transport.validate_local(QUERY, deadline=soon())

    assert not decision
    assert decision.reason is reason
    assert decision.local_name == ""


@pytest.mark.parametrize("words", ["ALLOWED", "no entry, sorry", "", "allowed"])
async def test_a_no_in_whatever_words_is_a_no(
    transport: Transport, fake: FakeAuth, words: str
) -> None:
    fake.decisions[QUERY] = Said(False, "", words)

    decision = await transport.validate_local(QUERY, deadline=soon())

    assert decision.reason is Reason.DENIED


async def test_a_yes_with_a_reason_to_deny_is_not_taken(
    transport: Transport, fake: FakeAuth
) -> None:
    fake.decisions[QUERY] = Said(True, "Centro", "NOT_ASSIGNED")

    with pytest.raises(PathFailed) as caught:
        await transport.validate_local(QUERY, deadline=soon())

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

    assert await transport.validate_local(query, deadline=soon())
    assert await transport.get_user_permissions(text, deadline=soon()) == {"catalog:read"}


async def test_a_valid_token_names_whom_it_speaks_for(transport: Transport, fake: FakeAuth) -> None:
    fake.tokens["good"] = ("u1", "o1", ("catalog:read", "catalog:edit"))

    identity = await transport.verify_token("good", deadline=soon())

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

    assert await transport.get_user_permissions("u1", deadline=soon()) == frozenset()


@pytest.mark.parametrize("trouble", [errors.Unauthenticated("no"), errors.Forbidden("no")])
async def test_a_refused_credential_is_not_a_denial(
    transport: Transport, fake: FakeAuth, trouble: errors.ServiceError
) -> None:
    fake.trouble = trouble

    with pytest.raises(AuthProtocolError) as caught:
        await transport.validate_local(QUERY, deadline=soon())

    assert caught.value.tried == (transport.name,)


async def test_overload_says_when_to_come_back(transport: Transport, fake: FakeAuth) -> None:
    fake.trouble = errors.Overloaded("busy", retry_after_s=7.0)

    with pytest.raises(AuthUnavailable) as caught:
        await transport.validate_local(QUERY, deadline=soon())

    assert caught.value.retry_after_s == 7.0


async def test_a_malformed_question_is_the_callers_fault(
    transport: Transport, fake: FakeAuth
) -> None:
    fake.trouble = errors.InvalidRequest("no such thing")

    with pytest.raises(InvalidRequest):
        await transport.validate_local(QUERY, deadline=soon())


async def test_a_question_that_cannot_be_unknown_breaks_the_contract(
    transport: Transport, fake: FakeAuth
) -> None:
    fake.trouble = errors.NotFound("what?")

    with pytest.raises(AuthProtocolError):
        await transport.validate_local(QUERY, deadline=soon())


@pytest.mark.parametrize(
    "trouble",
    [errors.Unavailable("store down"), errors.Internal("1"), errors.Conflict("what?")],
)
async def test_a_server_in_trouble_is_no_answer(
    transport: Transport, fake: FakeAuth, trouble: errors.ServiceError
) -> None:
    fake.trouble = trouble

    with pytest.raises(PathFailed) as caught:
        await transport.validate_local(QUERY, deadline=soon())

    assert caught.value.failure is Failure.BROKEN_OFF


async def test_a_silent_server_costs_the_deadline_and_no_more(
    transport: Transport, fake: FakeAuth
) -> None:
    fake.is_silent = True
    deadline = soon(0.1)

    with pytest.raises(PathFailed) as caught:
        await transport.validate_local(QUERY, deadline=deadline)

    assert caught.value.failure is Failure.TIMED_OUT
    assert asyncio.get_running_loop().time() < deadline.at + 0.5


async def test_a_failed_call_leaves_its_task_uncancelled(
    transport: Transport, fake: FakeAuth
) -> None:
    fake.is_silent = True
    task = asyncio.current_task()
    assert task is not None

    with pytest.raises(PathFailed):
        await transport.validate_local(QUERY, deadline=soon(0.05))

    assert task.cancelling() == 0


async def test_a_cancelled_call_is_cancelled(transport: Transport, fake: FakeAuth) -> None:
    fake.is_silent = True
    call = asyncio.create_task(transport.validate_local(QUERY, deadline=soon()))
    await asyncio.wait_for(fake.was_asked.wait(), timeout=5)

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
