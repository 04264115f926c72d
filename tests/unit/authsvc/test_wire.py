"""Between the service's words and the messages of `auth.proto`."""

import pytest

from authsvc.as_of import AsOf
from authsvc.decision import Reason, Verdict
from authsvc.model import LocalQuery
from authsvc.service import Identity
from authsvc.tokens import BadToken
from authsvc.wire import bad_token_message, identity_message, open_codec, query_of, verdict_message
from generated.auth import ValidateLocalRequest, ValidateLocalResponse, VerifyTokenResponse
from svckit.errors import InvalidRequest


def test_a_request_is_a_question() -> None:
    request = ValidateLocalRequest(user_id="u", organization_id="o", local_id="l")

    assert query_of(request) == LocalQuery(user_id="u", organization_id="o", local_id="l")


def test_a_request_with_a_field_missing_is_invalid() -> None:
    with pytest.raises(InvalidRequest, match="local_id is empty"):
        query_of(ValidateLocalRequest(user_id="u", organization_id="o"))


def test_a_yes_has_a_name_and_no_message() -> None:
    message = verdict_message(Verdict(reason=Reason.ALLOWED, local_name="Centro"))

    assert message == ValidateLocalResponse(is_valid=True, local_name="Centro", error_message="")


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.ALLOWED])
def test_a_no_has_its_reason_for_a_message_and_no_name(reason: Reason) -> None:
    message = verdict_message(Verdict(reason=reason))

    assert message == ValidateLocalResponse(
        is_valid=False, local_name="", error_message=reason.value
    )


@pytest.mark.parametrize("reason", list(Reason))
def test_a_verdict_survives_the_wire(reason: Reason) -> None:
    message = verdict_message(Verdict(reason=reason))

    codec = open_codec()
    received = codec.decode(codec.encode(message, type(message)), type(message))

    assert received.is_valid is (reason is Reason.ALLOWED)
    assert received.error_message == ("" if received.is_valid else reason.value)


def test_an_identity_lists_its_permissions_in_order() -> None:
    identity = Identity(
        user_id="u",
        organization_id="o",
        permissions=("a:read", "b:read"),
        expires_at=1,
        as_of=AsOf(database_id="d", revision=1, age_s=0.0),
    )

    assert identity_message(identity) == VerifyTokenResponse(
        is_valid=True, user_id="u", organization_id="o", permissions=["a:read", "b:read"]
    )


def test_a_bad_token_says_why_and_nothing_else() -> None:
    assert bad_token_message(BadToken("token expired")) == VerifyTokenResponse(
        is_valid=False, error_message="token expired"
    )
