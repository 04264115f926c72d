"""Law of outcomes: whatever goes wrong is some failure, and no failure is ever a yes."""

from grpclib.const import Status
from grpclib.exceptions import GRPCError, ProtocolError, StreamTerminatedError
from hypothesis import given
from hypothesis import strategies as st

from catalogsvc.authz.errors import AuthUnavailable, InvalidRequest, UnknownUser
from catalogsvc.authz.outcomes import (
    RETRY_AFTER_MAX_S,
    Outcome,
    error_of,
    grpc_outcome,
    http_outcome,
    retry_after_s,
)
from catalogsvc.authz.transport import PathFailed
from svckit.errors import DeadlineExceeded, MalformedMessage

PROBLEM = "application/problem+json"
# By these Auth itself answers; all others say that the path did not.
ANSWERS = {Outcome.INVALID, Outcome.NOT_FOUND}


class UnheardOf(Exception):
    """What no table names."""


exceptions = st.one_of(
    st.builds(GRPCError, st.sampled_from(Status), st.none() | st.text()),
    st.builds(
        lambda kind, text: kind(text),
        st.sampled_from([OSError, TimeoutError, ConnectionResetError, StreamTerminatedError]),
        st.text(),
    ),
    st.builds(
        lambda kind, text: kind(text),
        st.sampled_from([ProtocolError, DeadlineExceeded, MalformedMessage, UnheardOf, KeyError]),
        st.text(),
    ),
)


@given(exceptions)
def test_any_exception_is_a_failure_and_only_two_statuses_are_an_answer(exc: Exception) -> None:
    outcome = grpc_outcome(exc)

    answering = {Status.INVALID_ARGUMENT, Status.NOT_FOUND}
    is_answer = isinstance(exc, GRPCError) and exc.status in answering
    assert (outcome in ANSWERS) == is_answer


@given(
    st.integers().filter(lambda status: status != 200),
    st.sampled_from([PROBLEM, "text/html", ""]) | st.text(),
)
def test_any_status_is_a_failure_and_an_answer_only_in_auths_own_form(
    status: int, content_type: str
) -> None:
    outcome = http_outcome(status, content_type)

    assert outcome not in ANSWERS or (content_type == PROBLEM and status in (400, 404, 413))


@given(st.sampled_from(Outcome), st.booleans(), st.floats(0, 60))
def test_every_outcome_is_raised_and_only_auths_answers_end_the_asking(
    outcome: Outcome, has_not_found: bool, wait_s: float
) -> None:
    unknown = UnknownUser("who?") if has_not_found else None

    error = error_of(outcome, path="grpc://x", not_found=unknown, retry_after_s=wait_s)

    if outcome is Outcome.INVALID:
        assert type(error) is InvalidRequest
    elif outcome is Outcome.NOT_FOUND and has_not_found:
        assert error is unknown
    else:
        assert isinstance(error, PathFailed | AuthUnavailable)


@given(st.none() | st.text() | st.binary() | st.integers().map(str), st.sampled_from([1.0, 0.001]))
def test_a_server_silences_us_for_a_minute_at_most(text: str | bytes | None, unit_s: float) -> None:
    assert 0 <= retry_after_s(text, unit_s=unit_s) <= RETRY_AFTER_MAX_S
