"""The whole table of what failures mean: each gRPC status, each exception, each HTTP status."""

import ssl

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError

from catalogsvc.authz.errors import (
    AuthProtocolError,
    AuthUnavailable,
    CredentialRefused,
    InvalidRequest,
    UnknownUser,
)
from catalogsvc.authz.outcomes import (
    GRPC,
    Outcome,
    error_of,
    grpc_outcome,
    http_outcome,
    in_band_outcome,
    in_band_retry_s,
    retry_after_s,
    stream_outcome,
)
from catalogsvc.authz.transport import Failure, PathFailed, Unimplemented
from svckit.errors import DeadlineExceeded, MalformedMessage, ServiceError

PROBLEM = "application/problem+json"


def test_the_table_names_every_grpc_status() -> None:
    assert set(GRPC) == set(Status)


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ({Status.INVALID_ARGUMENT}, Outcome.INVALID),
        ({Status.NOT_FOUND}, Outcome.NOT_FOUND),
        ({Status.UNAUTHENTICATED, Status.PERMISSION_DENIED}, Outcome.REFUSED),
        ({Status.RESOURCE_EXHAUSTED}, Outcome.OVERLOADED),
        ({Status.DEADLINE_EXCEEDED}, Outcome.TIMED_OUT),
        ({Status.UNIMPLEMENTED}, Outcome.UNIMPLEMENTED),
        ({Status.OK}, Outcome.UNINTELLIGIBLE),
    ],
)
def test_few_statuses_are_more_than_a_broken_path(statuses: set[Status], outcome: Outcome) -> None:
    assert {status for status in Status if GRPC[status] is outcome} == statuses


@pytest.mark.parametrize("status", Status)
def test_a_status_that_arrives_is_looked_up(status: Status) -> None:
    assert grpc_outcome(GRPCError(status)) is GRPC[status]


@pytest.mark.parametrize(
    "exc",
    [
        ConnectionRefusedError(),
        ConnectionResetError(),
        OSError("no route"),
        TimeoutError(),
        ssl.SSLError("handshake"),
        ssl.SSLCertVerificationError("expired"),
        StreamTerminatedError("connection lost"),
        ProtocolError("broken"),
        AttributeError("_transport"),
        AssertionError("received less data than expected"),
        NotImplementedError("compression"),
        KeyError(":status"),
        UnicodeDecodeError("ascii", b"\xff", 0, 1, "no"),
    ],
)
def test_every_face_of_an_outage_is_an_outage(exc: Exception) -> None:
    assert grpc_outcome(exc) is Outcome.BROKEN_OFF


def test_an_undecodable_answer_breaks_the_contract_and_is_not_the_callers_fault() -> None:
    assert grpc_outcome(MalformedMessage("what?")) is Outcome.UNINTELLIGIBLE


def test_our_own_deadline_is_a_timeout() -> None:
    assert grpc_outcome(DeadlineExceeded("too late")) is Outcome.TIMED_OUT


@pytest.mark.parametrize("status", [code for code in range(100, 600) if code != 200])
def test_every_http_status_but_200_is_some_failure(status: int) -> None:
    expected = {
        400: Outcome.INVALID,
        401: Outcome.REFUSED,
        403: Outcome.REFUSED,
        404: Outcome.NOT_FOUND,
        413: Outcome.INVALID,
        429: Outcome.OVERLOADED,
        504: Outcome.TIMED_OUT,
    }
    assert http_outcome(status, PROBLEM) is expected.get(status, Outcome.BROKEN_OFF)


@pytest.mark.parametrize("status", [400, 404, 413])
def test_an_answer_by_status_must_have_auths_form(status: int) -> None:
    assert http_outcome(status, "text/html") is Outcome.UNINTELLIGIBLE


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Outcome.INVALID, InvalidRequest),
        (Outcome.NOT_FOUND, AuthProtocolError),
        (Outcome.REFUSED, CredentialRefused),
        (Outcome.OVERLOADED, AuthUnavailable),
    ],
)
def test_what_is_final_names_whose_fault_it_is(outcome: Outcome, kind: type[ServiceError]) -> None:
    assert type(error_of(outcome, path="grpc://x")) is kind


@pytest.mark.parametrize(
    ("outcome", "failure"),
    [
        (Outcome.TIMED_OUT, Failure.TIMED_OUT),
        (Outcome.BROKEN_OFF, Failure.BROKEN_OFF),
        (Outcome.UNIMPLEMENTED, Failure.BROKEN_OFF),
        (Outcome.UNINTELLIGIBLE, Failure.UNINTELLIGIBLE),
    ],
)
def test_the_rest_sends_the_call_to_the_next_path(outcome: Outcome, failure: Failure) -> None:
    error = error_of(outcome, path="grpc://x")

    assert isinstance(error, PathFailed)
    assert (error.path, error.failure) == ("grpc://x", failure)


def test_not_found_is_an_answer_where_the_question_has_it() -> None:
    unknown = UnknownUser("who?")

    assert error_of(Outcome.NOT_FOUND, path="grpc://x", not_found=unknown) is unknown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("86400", 60.0),
        ("9" * 400, 1.0),
        ("-1", 1.0),
        ("soon", 1.0),
        ("\u0667", 1.0),
        ("", 1.0),
        (None, 1.0),
        (b"7", 1.0),
    ],
)
def test_a_retry_after_is_bounded(text: str | bytes | None, seconds: float) -> None:
    assert retry_after_s(text, unit_s=1.0) == seconds


def test_an_older_server_is_told_from_a_broken_one() -> None:
    assert type(error_of(Outcome.UNIMPLEMENTED, path="grpc://x")) is Unimplemented


@pytest.mark.parametrize("status", Status)
def test_an_error_in_band_means_what_the_same_status_means(status: Status) -> None:
    assert in_band_outcome(status.value) is GRPC[status]


@pytest.mark.parametrize("code", [17, 99, 2**32 - 1])
def test_a_code_that_nobody_knows_is_a_broken_path(code: int) -> None:
    assert in_band_outcome(code) is Outcome.BROKEN_OFF


@pytest.mark.parametrize("status", Status)
def test_the_end_of_a_stream_answers_no_question_on_it(status: Status) -> None:
    outcome = stream_outcome(GRPCError(status))

    if status in (Status.INVALID_ARGUMENT, Status.NOT_FOUND, Status.DEADLINE_EXCEEDED):
        assert outcome is Outcome.BROKEN_OFF
    else:
        assert outcome is GRPC[status]


@pytest.mark.parametrize(("span_ms", "seconds"), [(0, 1.0), (7000, 7.0), (2**32 - 1, 60.0)])
def test_a_retry_after_in_band_is_bounded_and_0_says_nothing(span_ms: int, seconds: float) -> None:
    assert in_band_retry_s(span_ms) == seconds
