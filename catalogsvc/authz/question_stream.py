"""Many questions out at once on one gRPC stream; each answer finds its question by its id.

    OPEN --a question timed out--> RETIRED: takes no new ones
    RETIRED --the last question is done--> ENDED
    OPEN, RETIRED --failed, or closed--> ENDED: each question on it fails

What needs no waiting needs no task: a question is sent, and an answer handed on, right away. Two
tasks of its own wait for room to send and for the end, so that grpclib, which cancels whatever task
uses a stream when the stream dies, never cancels one of our callers.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import Generic, TypeVar

from grpclib.const import Cardinality
from grpclib.exceptions import StreamTerminatedError

from catalogsvc.authz.channels import Lane
from catalogsvc.authz.grpc_stream import BoundedStream
from svckit.errors import DeadlineExceeded

__all__ = ["QuestionStream", "StreamLost", "QUESTIONS_MAX"]

A = TypeVar("A")

# Of one stream: beyond it, more of them would only wait longer.
QUESTIONS_MAX = 1_024


class StreamLost(Exception):
    """The stream ended before the answer came; `reason` is why."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__("the stream ended before the answer came")
        self.reason = reason


class QuestionStream(Generic[A]):
    """`read` takes one message apart, into the id of its question and the answer.

    It may raise MalformedMessage, which ends the stream. Made on a running event loop.
    """

    __slots__ = (
        "_answers",
        "_is_retired",
        "_is_sending",
        "_lane",
        "_last_id",
        "_metadata",
        "_read",
        "_route",
        "_something_to_send",
        "_stream",
        "_unsent",
        "task",
    )

    def __init__(
        self,
        lane: Lane,
        route: str,
        *,
        metadata: Mapping[str, str],
        read: Callable[[bytes], tuple[int, A]],
    ) -> None:
        self._lane = lane
        self._route = route
        self._metadata = metadata
        self._read = read
        self._answers: dict[int, asyncio.Future[A]] = {}
        self._last_id = 0
        self._unsent: deque[tuple[int, bytes]] = deque()
        self._something_to_send = asyncio.Event()
        self._is_retired = False
        # What waits for room may have left in part: nothing may come between.
        self._is_sending = False
        # There is one while it can be sent on.
        self._stream: BoundedStream[bytes, bytes] | None = None
        # In a context of its own: it outlives the call that needed it first, and its span.
        self.task = asyncio.create_task(self._converse(), name="auth-questions", context=Context())
        # Not the task itself: cancelled before its first step, it would tell nobody.
        self.task.add_done_callback(self._ended)

    def __len__(self) -> int:
        """Questions without an answer yet."""
        return len(self._answers)

    @property
    def is_open(self) -> bool:
        return not self._is_retired and not self.task.done()

    @property
    def is_full(self) -> bool:
        # What is not sent yet counts too: its callers may have left, and others come.
        return max(len(self._answers), len(self._unsent)) >= QUESTIONS_MAX

    async def ask(self, encode: Callable[[int], bytes], *, timeout_s: float) -> A:
        """The answer to the message that `encode` makes of an id.

        Raises StreamLost, and DeadlineExceeded. Whoever leaves first harms no other question.
        """
        assert self.is_open
        loop = asyncio.get_running_loop()
        self._last_id = request_id = self._last_id + 1
        message = encode(request_id)
        answer: asyncio.Future[A] = loop.create_future()
        # Not asyncio.timeout, which costs four times as much.
        timer = loop.call_later(timeout_s, _expire, answer)
        self._answers[request_id] = answer
        if self._is_sending or self._stream is None or not self._stream.send_now(message):
            self._unsent.append((request_id, message))
            self._something_to_send.set()
        try:
            return await answer
        finally:
            timer.cancel()
            self._answers.pop(request_id, None)
            self._end_if_idle()

    def retire(self) -> None:
        """A question went without an answer: the stream may be dead, so it takes no new ones.

        Nor, for all we know, may its connection be alive.
        """
        self._is_retired = True
        self._lane.channel.probe()
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if self._is_retired and not self._answers:
            self.task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        # grpclib meets what a peer sends with any exception there is.
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        reason = error or StreamTerminatedError("the server ended the stream")
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(StreamLost(reason))

    async def _converse(self) -> None:
        async with self._lane.lease() as channel:
            stream = channel.request(
                self._route, Cardinality.STREAM_STREAM, bytes, bytes, metadata=self._metadata
            )
            async with stream:
                await stream.send_request()
                self._stream = stream
                sending = asyncio.create_task(self._send_all(stream), name="auth-questions-out")
                sending.add_done_callback(self._sending_ended)
                try:
                    await stream.recv_each(self._hand_on)
                finally:
                    self._stream = None
                    sending.cancel()
                # Raised inside of the stream, so that grpclib tells what the server said instead.
                raise StreamTerminatedError("the server ended the stream")

    def _hand_on(self, message: bytes) -> None:
        request_id, answer = self._read(message)
        waiting = self._answers.get(request_id)
        # Nobody waits for one that is late; and an id that was never asked is not ours.
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def _send_all(self, stream: BoundedStream[bytes, bytes]) -> None:
        while True:
            self._is_sending = True
            while self._unsent:
                # Whatever waits leaves together: waking the server costs more than the bytes do.
                messages = [message for id_, message in self._unsent if id_ in self._answers]
                self._unsent.clear()
                await stream.send_all(messages)
            self._is_sending = False
            self._something_to_send.clear()
            await self._something_to_send.wait()

    def _sending_ended(self, sending: asyncio.Task[None]) -> None:
        # Without it questions would wait for nothing.
        if not sending.cancelled() and sending.exception() is not None:
            self.task.cancel()


def _expire(answer: asyncio.Future[A]) -> None:
    if not answer.done():
        answer.set_exception(DeadlineExceeded("Auth did not answer in time"))
