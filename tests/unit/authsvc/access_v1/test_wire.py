"""Between the service's words and the messages of `access.v1`."""

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from authsvc.access_v1.checking import Answered, Failed
from authsvc.access_v1.watching import WatchPage
from authsvc.access_v1.wire import REASONS, StreamMessages, bad_token_message, batch_message
from authsvc.as_of import AsOf
from authsvc.changes import Change, ChangePage
from authsvc.decision import Reason
from authsvc.rows import Decided
from authsvc.tokens import BadToken
from authsvc.wire import open_codec
from generated.access.v1 import Reason as WireReason
from generated.access.v1 import TokenVerdict
from svckit.errors import InvalidRequest, Overloaded

AS_OF = AsOf(database_id="d", revision=7, age_s=0.0104)


@pytest.fixture
def messages() -> StreamMessages:
    open_codec()
    return StreamMessages()


def test_every_reason_has_a_number_of_its_own_and_none_is_zero() -> None:
    numbers = {reason.name: number for reason, number in REASONS.items()}

    assert numbers == {reason.name: reason.value for reason in WireReason if reason.value != 0}
    assert set(REASONS) == set(Reason)


def test_a_question_keeps_its_columns_and_its_time(messages: StreamMessages) -> None:
    message = messages.check_request(
        request_id=3, user_ids=["u"], organization_ids=["o"], local_ids=["l"], timeout_ms=1500
    )

    question = messages.question(message)

    assert (question.request_id, question.user_ids, question.local_ids) == (3, ["u"], ["l"])
    assert (question.timeout_s, question.traceparent) == (1.5, "")
    assert messages.question(messages.check_request(request_id=1)).timeout_s is None


def test_an_answer_has_its_rows_and_as_of_when(messages: StreamMessages) -> None:
    decided = Decided(reasons=[Reason.ALLOWED, Reason.NOT_ASSIGNED], local_names=["Centro", ""])

    message = messages.reply(Answered(request_id=3, decided=decided, as_of=AS_OF))

    assert (message.request_id, list(message.reasons)) == (3, [1, 9])
    assert list(message.local_names) == ["Centro", ""]
    assert (message.revision, message.age_ms, message.database_id) == (7, 11, "d")
    assert message.error_code == 0


def test_a_failure_has_its_code_and_when_to_come_back_and_no_rows(
    messages: StreamMessages,
) -> None:
    error = GRPCError(Status.RESOURCE_EXHAUSTED, "too much at once")
    error.__cause__ = Overloaded("too much at once", retry_after_s=0.2)

    message = messages.reply(Failed(request_id=3, error=error))

    assert (message.error_code, message.error_message) == (8, "too much at once")
    assert (message.retry_after_ms, len(message.reasons)) == (200, 0)
    plain = messages.reply(Failed(request_id=3, error=GRPCError(Status.INTERNAL)))
    assert (plain.error_message, plain.retry_after_ms) == ("", 0)


def test_a_page_of_changes_is_told_in_columns(messages: StreamMessages) -> None:
    changes = (
        Change(revision=4, organization_id="o", user_id="u"),
        Change(revision=5, organization_id="p", local_id="l"),
    )
    page = ChangePage(database_id="d", after=3, revision=5, changes=changes, is_gap=True)

    message = messages.watch_reply(WatchPage(tick=9, page=page))

    assert (message.tick, message.after_revision, message.revision) == (9, 3, 5)
    assert (message.reset, list(message.revisions)) == (True, [4, 5])
    assert (list(message.user_ids), list(message.local_ids)) == (["u", ""], ["", "l"])


def test_a_bad_tick_is_told_in_band(messages: StreamMessages) -> None:
    message = messages.watch_reply(InvalidRequest("tick is 0"))

    assert (message.error_code, message.error_message) == (3, "tick is 0")


def test_a_batch_and_a_bad_token_as_unary_answers() -> None:
    decided = Decided(reasons=[Reason.ALLOWED], local_names=["Centro"])

    batch = batch_message(decided, AS_OF)
    bad = bad_token_message(BadToken("token expired"))

    assert (batch.reasons, batch.local_names, batch.age_ms) == ([1], ["Centro"], 11)
    assert (bad.verdict, bad.error_message) == (TokenVerdict.INVALID, "token expired")
