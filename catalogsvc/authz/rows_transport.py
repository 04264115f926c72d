"""CheckLocals of access.v1: one stream for each channel, many batches of rows on each.

The hot path. Its messages are google protobuf's own: as betterproto dataclasses a batch of 32 rows
would cost ten times as much.
"""

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from catalogsvc.authz.answers import REASONS, read_as_of, read_checked
from catalogsvc.authz.call import Clock
from catalogsvc.authz.channels import ChannelPool
from catalogsvc.authz.errors import RETRY_AFTER_S
from catalogsvc.authz.model import Reason, Row
from catalogsvc.authz.outcomes import (
    Outcome,
    error_of,
    in_band_outcome,
    in_band_retry_s,
    stream_outcome,
)
from catalogsvc.authz.question_stream import QuestionStream, StreamLost
from catalogsvc.authz.question_streams import QuestionStreams
from catalogsvc.authz.transport import Checked, Failure, PathFailed
from catalogsvc.authz.unary import TOLD_LATER_S
from generated.access import v1 as access
from svckit.deadline import Deadline
from svckit.errors import DeadlineExceeded, MalformedMessage
from svckit.rpc import Interceptor, RpcCall, run_intercepted

__all__ = ["RowsTransport"]

METHOD = "access.v1.AccessService/CheckLocals"
# The trace of one batch goes with its message, not with the stream that it happens to open.
OF_ONE_BATCH = frozenset({"traceparent", "tracestate"})
TIMEOUT_MS_MAX = 2**32 - 1


class RowsTransport:
    """`check_locals` of a Transport. Owns its streams, and not the channels they are on."""

    __slots__ = (
        "_clock",
        "_interceptors",
        "_name",
        "_peer",
        "_request",
        "_response",
        "_streams",
    )

    def __init__(
        self, pool: ChannelPool, *, name: str, interceptors: Sequence[Interceptor], clock: Clock
    ) -> None:
        self._name = name
        self._peer = str(pool.address)
        self._interceptors = interceptors
        self._clock = clock
        # Any: classes that protobuf makes at run time have no types.
        self._request: Any = pool.codec.wire_class(access.CheckLocalsRequest)
        self._response: Any = pool.codec.wire_class(access.CheckLocalsResponse)
        self._streams: QuestionStreams[Any] = QuestionStreams(
            pool.lanes, f"/{METHOD}", read=self._parse
        )

    async def check_locals(self, rows: Sequence[Row], *, deadline: Deadline) -> Checked:
        """As Transport. Raises Unimplemented when the server has no CheckLocals."""
        call = RpcCall(
            method=METHOD, side="client", peer=self._peer, is_on_stream=True, deadline=deadline
        )
        answer: Any = None

        async def ask() -> None:
            nonlocal answer
            answer = await self._ask(rows, call, deadline)

        try:
            await run_intercepted(self._interceptors, call, ask)
        except DeadlineExceeded as exc:
            raise error_of(Outcome.TIMED_OUT, path=self._name) from exc
        except _Refused as exc:
            raise error_of(exc.outcome, path=self._name, retry_after_s=exc.retry_after_s) from exc
        assert answer is not None, "an interceptor hid a failure"
        return self._read(answer, rows=len(rows))

    async def close(self) -> None:
        await self._streams.close()

    def _pick(self, call: RpcCall) -> QuestionStream[Any]:
        lasting = {key: call.metadata[key] for key in call.metadata if key not in OF_ONE_BATCH}
        stream = self._streams.pick(lasting)
        if stream is None:
            raise PathFailed(self._name, Failure.NOT_ASKED)
        return stream

    async def _ask(self, rows: Sequence[Row], call: RpcCall, deadline: Deadline) -> Any:
        stream = self._pick(call)
        user_ids, organization_ids, local_ids = zip(*rows, strict=True)
        left_s = deadline.left_s(self._clock())

        def encode(request_id: int) -> bytes:
            encoded: bytes = self._request(
                request_id=request_id,
                user_ids=user_ids,
                organization_ids=organization_ids,
                local_ids=local_ids,
                timeout_ms=min(int((left_s + TOLD_LATER_S) * 1000), TIMEOUT_MS_MAX),
                traceparent=call.metadata.get("traceparent", ""),
            ).SerializeToString()
            return encoded

        try:
            answer = await stream.ask(encode, timeout_s=left_s)
        except DeadlineExceeded:
            stream.retire()
            raise
        except StreamLost as exc:
            outcome = stream_outcome(exc.reason)
            if isinstance(exc.reason, GRPCError):
                raise _Refused(exc.reason.status, outcome, RETRY_AFTER_S) from exc.reason
            raise error_of(outcome, path=self._name) from exc.reason
        if answer.error_code:
            raise _in_band(answer.error_code, answer.retry_after_ms)
        return answer

    def _parse(self, message: bytes) -> tuple[int, Any]:
        try:
            answer = self._response.FromString(message)
        except DecodeError as exc:
            raise MalformedMessage("the answer is not a valid protobuf message") from exc
        return answer.request_id, answer

    def _read(self, answer: Any, *, rows: int) -> Checked:
        numbers = list(answer.reasons)
        if 0 in numbers:
            raise PathFailed(self._name, Failure.UNINTELLIGIBLE)
        reason_of = REASONS.get
        as_of = read_as_of(answer, path=self._name)
        return read_checked(
            [reason_of(number, Reason.DENIED) for number in numbers],
            list(answer.local_names),
            as_of,
            rows=rows,
            path=self._name,
        )


class _Refused(GRPCError):
    """One question was not answered; the interceptors want its status."""

    def __init__(self, status: Status, outcome: Outcome, retry_after_s: float) -> None:
        super().__init__(status)
        self.outcome = outcome
        self.retry_after_s = retry_after_s


def _in_band(code: int, retry_after_ms: int) -> _Refused:
    try:
        status = Status(code)
    except ValueError:
        status = Status.UNKNOWN
    return _Refused(status, in_band_outcome(code), in_band_retry_s(retry_after_ms))
