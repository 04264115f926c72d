"""One CheckLocals stream: each question on it is a call of its own, with an answer of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from grpclib.exceptions import GRPCError

from authsvc.as_of import AsOf
from authsvc.columns import Columns, read_columns
from authsvc.rows import Decided
from authsvc.service import AuthService
from svckit.deadline import Deadline
from svckit.errors import InvalidRequest
from svckit.owned_tasks import owned_tasks
from svckit.rpc import Interceptor, RpcCall, run_intercepted

__all__ = ["CheckStream", "Question", "Answered", "Failed", "Reply"]

METHOD = "access.v1.AccessService/CheckLocals"
# Questions of one stream that wait for the database at once; then its reading waits too.
WAITING_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """As it was sent, unchecked. `timeout_s` of None: the server's default."""

    request_id: int
    user_ids: Sequence[str]
    organization_ids: Sequence[str]
    local_ids: Sequence[str]
    timeout_s: float | None
    traceparent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    request_id: int
    decided: Decided
    as_of: AsOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    request_id: int
    error: GRPCError


Reply = Answered | Failed


class CheckStream:
    """`send` takes one reply at a time, in any order, and raises nothing while the client stays."""

    def __init__(
        self,
        service: AuthService,
        *,
        interceptors: Sequence[Interceptor],
        send: Callable[[Reply], Awaitable[None]],
        peer: str,
    ) -> None:
        self._service = service
        self._interceptors = interceptors
        self._send = send
        self._peer = peer
        self._waiting: set[int] = set()
        self._room = asyncio.Semaphore(WAITING_MAX)
        self._clock = asyncio.get_running_loop().time

    async def answer_all(self, questions: AsyncIterator[Question]) -> None:
        """Until the client has asked its last one. What needs no waiting is answered at once."""
        async with owned_tasks() as tasks:
            async for question in questions:
                columns = self._read(question)
                if isinstance(columns, InvalidRequest) or self._service.is_warm(columns):
                    await self._answer(question, columns)
                    continue
                await self._room.acquire()
                self._waiting.add(question.request_id)
                tasks.create_task(self._answer_later(question, columns), name="check-locals")

    def _read(self, question: Question) -> Columns | InvalidRequest:
        if question.request_id == 0:
            return InvalidRequest("request_id is 0")
        if question.request_id in self._waiting:
            return InvalidRequest("request_id is that of a question still unanswered")
        try:
            return read_columns(
                user_ids=question.user_ids,
                organization_ids=question.organization_ids,
                local_ids=question.local_ids,
            )
        except InvalidRequest as exc:
            return exc

    async def _answer_later(self, question: Question, columns: Columns) -> None:
        try:
            await self._answer(question, columns)
        finally:
            self._waiting.discard(question.request_id)
            self._room.release()

    async def _answer(self, question: Question, columns: Columns | InvalidRequest) -> None:
        answers: list[tuple[Decided, AsOf]] = []

        async def decide() -> None:
            if isinstance(columns, InvalidRequest):
                raise columns
            answers.append(await self._service.check_locals(columns))

        try:
            await run_intercepted(self._interceptors, self._call(question), decide)
        except GRPCError as exc:
            await self._send(Failed(request_id=question.request_id, error=exc))
            return
        ((decided, as_of),) = answers
        await self._send(Answered(request_id=question.request_id, decided=decided, as_of=as_of))

    def _call(self, question: Question) -> RpcCall:
        deadline = None
        if question.timeout_s is not None:
            deadline = Deadline.after(question.timeout_s, now=self._clock())
        return RpcCall(
            method=METHOD,
            side="server",
            peer=self._peer,
            deadline=deadline,
            is_on_stream=True,
            metadata={"traceparent": question.traceparent} if question.traceparent else {},
        )
