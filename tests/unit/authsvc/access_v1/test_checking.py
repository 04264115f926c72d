"""One CheckLocals stream: each question a call of its own, with an answer of its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from grpclib.const import Status

from authsvc.access_v1.checking import WAITING_MAX, Answered, CheckStream, Failed, Question, Reply
from authsvc.decision import Reason
from svckit.interceptors import server_interceptors
from svckit.interceptors.errors import trailers_of
from tests.unit.authsvc.service_at_hand import ServiceAtHand
from tests.unit.svckit.seen import Seen

QUESTION = Question(
    request_id=1,
    user_ids=["u1"],
    organization_ids=["o1"],
    local_ids=["l1"],
    timeout_s=None,
    traceparent="",
)
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
CALL = {"service": "access.v1", "method": "CheckLocals"}


class Setting(ServiceAtHand):
    """A stream whose replies are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen()
        self.replies: list[Reply] = []
        self.stream = CheckStream(
            self.service,
            interceptors=server_interceptors(self.seen.telemetry),
            send=self.send,
            peer="127.0.0.1",
        )

    async def send(self, reply: Reply) -> None:
        self.replies.append(reply)

    def follow(self) -> None:
        position = self.knowledge.freshness.position()
        page = self.store.page_since(position.database_id, position.revision)
        self.knowledge.learn(page, asked_at=position, read_started_at=self.lease_now)

    async def ask(self, *questions: Question) -> list[Reply]:
        self.replies.clear()
        await self.stream.answer_all(one_after_another(questions))
        return self.replies

    async def failure(self, question: Question) -> tuple[int, Status, str | None]:
        (reply,) = await self.ask(question)
        assert isinstance(reply, Failed)
        return reply.request_id, reply.error.status, reply.error.message


async def one_after_another(questions: Sequence[Question]) -> AsyncIterator[Question]:
    for question in questions:
        yield question


def reasons(reply: Reply) -> list[Reason]:
    assert isinstance(reply, Answered)
    return list(reply.decided.reasons)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_question_is_answered_with_the_revision_it_was_answered_at() -> None:
    a = Setting()

    (reply,) = await a.ask(QUESTION)

    assert isinstance(reply, Answered)
    assert (reply.request_id, reply.as_of.revision) == (1, a.store.revision)
    assert (reasons(reply), list(reply.decided.local_names)) == ([Reason.ALLOWED], ["Centro"])


async def test_what_is_known_is_answered_while_what_is_not_waits_for_the_store() -> None:
    a = Setting()
    a.follow()
    await a.ask(QUESTION)
    a.store.access_gate.clear()
    cold = replace(QUESTION, request_id=2, local_ids=["l2"])
    asking = asyncio.create_task(a.ask(cold, replace(QUESTION, request_id=3)))
    await settle()
    assert [reply.request_id for reply in a.replies] == [3]
    a.store.access_gate.set()

    replies = await asking

    assert [reply.request_id for reply in replies] == [3, 2]
    assert reasons(replies[1]) == [Reason.NOT_ASSIGNED]


async def test_a_request_id_of_none_is_refused_and_the_stream_goes_on() -> None:
    a = Setting()

    bad, good = await a.ask(replace(QUESTION, request_id=0), QUESTION)

    assert isinstance(bad, Failed)
    assert (bad.error.status, bad.error.message) == (Status.INVALID_ARGUMENT, "request_id is 0")
    assert isinstance(good, Answered)


async def test_a_request_id_that_is_still_unanswered_is_refused() -> None:
    a = Setting()
    a.store.access_gate.clear()
    asking = asyncio.create_task(a.ask(QUESTION, QUESTION))
    await settle()
    (refused,) = a.replies
    assert isinstance(refused, Failed)
    assert refused.error.status is Status.INVALID_ARGUMENT
    a.store.access_gate.set()

    assert isinstance((await asking)[1], Answered)
    assert isinstance((await a.ask(QUESTION))[0], Answered)


async def test_malformed_columns_are_refused_in_band() -> None:
    a = Setting()

    unequal = replace(QUESTION, user_ids=["a", "b"])
    empty = replace(QUESTION, user_ids=[], organization_ids=[], local_ids=[])
    many = ["x"] * 513
    too_many = replace(QUESTION, user_ids=many, organization_ids=many, local_ids=many)
    bad_id = replace(QUESTION, local_ids=[""])

    invalid = Status.INVALID_ARGUMENT
    assert await a.failure(unequal) == (1, invalid, "the columns are not equally long")
    assert await a.failure(empty) == (1, invalid, "a question has 1 to 512 rows")
    assert await a.failure(too_many) == (1, invalid, "a question has 1 to 512 rows")
    assert await a.failure(bad_id) == (1, invalid, "local_ids[0] is empty")


async def test_a_store_that_is_down_is_told_in_band_with_when_to_come_back() -> None:
    a = Setting()
    a.store.is_down = True

    (reply,) = await a.ask(QUESTION)

    assert isinstance(reply, Failed)
    assert reply.error.status is Status.UNAVAILABLE
    assert trailers_of(reply.error) == {}


async def test_a_question_ends_by_its_own_deadline() -> None:
    a = Setting()
    a.store.access_gate.clear()

    assert await a.failure(replace(QUESTION, timeout_s=0.01)) == (
        1,
        Status.DEADLINE_EXCEEDED,
        "the deadline passed before there was an answer",
    )


async def test_no_more_than_a_few_wait_for_the_store_and_then_the_reading_waits() -> None:
    a = Setting()
    a.store.access_gate.clear()
    read: list[int] = []

    async def many() -> AsyncIterator[Question]:
        for number in range(1, 2 * WAITING_MAX + 1):
            read.append(number)
            yield replace(QUESTION, request_id=number)

    asking = asyncio.create_task(a.stream.answer_all(many()))
    await settle()
    assert (len(read), a.store.access_reads) == (WAITING_MAX + 1, WAITING_MAX)
    a.store.access_gate.set()
    await asking

    assert {reply.request_id for reply in a.replies} == set(read)
    assert len(read) == 2 * WAITING_MAX


async def test_a_stream_that_is_cut_leaves_no_question_behind() -> None:
    a = Setting()
    a.store.access_gate.clear()
    before = asyncio.all_tasks()
    asking = asyncio.create_task(a.ask(QUESTION))
    await settle()

    asking.cancel()
    await asyncio.wait({asking})

    assert asking.cancelled()
    assert asyncio.all_tasks() == before
    assert a.replies == []


async def test_each_question_is_traced_measured_and_logged_as_a_call() -> None:
    a = Setting()

    await a.ask(replace(QUESTION, traceparent=f"00-{TRACE_ID}-b7ad6b7169203331-01"))

    span = a.seen.span()
    assert span.name == "access.v1.AccessService/CheckLocals"
    assert format(span.get_span_context().trace_id, "032x") == TRACE_ID  # type: ignore[union-attr] # a finished span has one
    assert a.seen.count("grpc_requests_total", **CALL, status="OK") == 1
    assert a.seen.count("grpc_request_duration_seconds_count", **CALL) == 1
    assert [line["log_level"] for line in a.seen.lines("rpc")] == ["debug"]
