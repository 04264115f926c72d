"""One path to Auth as the router sees it, behind a breaker where it has one."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from structlog.typing import FilteringBoundLogger

from catalogsvc.authz.breaker import Breaker, BreakerState, Permit, Refusal
from catalogsvc.authz.call import Clock
from catalogsvc.authz.errors import InvalidRequest, InvalidToken, UnknownUser
from catalogsvc.authz.model import Source
from catalogsvc.authz.transport import Failure, PathFailed, Transport
from svckit.deadline import Deadline

__all__ = ["Path", "GuardedPath", "Question", "ANSWERS"]

A = TypeVar("A")
Question: TypeAlias = Callable[[Transport, Deadline], Awaitable[A]]

# The exceptions by which Auth answers: whoever raises them is well.
ANSWERS = (InvalidRequest, InvalidToken, UnknownUser)


class Path:
    """Always asked. A failing REST has no further fallback that leaving it alone would speed up."""

    def __init__(self, transport: Transport, *, source: Source, clock: Clock) -> None:
        self.transport = transport
        self.source = source
        self._clock = clock

    async def ask(self, question: Question[A], *, span_s: float) -> A:
        """Raises PathFailed when there is no answer within `span_s`, else as the transport does."""
        return await question(self.transport, Deadline.after(span_s, now=self._clock()))


class GuardedPath(Path):
    """Asked when its breaker admits it. A timeout is a failure only after `fair_span_s`.

    A caller in a hurry learns nothing about the server.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        source: Source,
        clock: Clock,
        breaker: Breaker,
        fair_span_s: float,
        log: FilteringBoundLogger,
    ) -> None:
        super().__init__(transport, source=source, clock=clock)
        self.breaker = breaker
        self._fair_span_s = fair_span_s
        self._log = log

    def refusal(self) -> Refusal | None:
        """Why it would not be asked now."""
        if self.breaker.state is BreakerState.CLOSED:
            return None
        return self.breaker.refusal(self._clock())

    async def ask(self, question: Question[A], *, span_s: float) -> A:
        permit = self.breaker.admit(self._clock())
        if isinstance(permit, Refusal):
            # It was opened by another call since the router looked.
            raise PathFailed(self.transport.name, Failure.NOT_ASKED)
        try:
            answer = await question(self.transport, Deadline.after(span_s, now=self._clock()))
        except BaseException as exc:
            self._report(permit, exc, span_s)
            raise
        self._report(permit, None, span_s)
        return answer

    def _report(self, permit: Permit, exc: BaseException | None, span_s: float) -> None:
        was_closed = self.breaker.state is BreakerState.CLOSED
        if exc is None or isinstance(exc, ANSWERS):
            self.breaker.succeeded(permit)
        elif isinstance(exc, PathFailed) and not self._was_cut_short(exc, span_s):
            self.breaker.failed(permit, self._clock())
        else:
            # Cancelled, overloaded, or in a hurry: no news about whether it is up.
            self.breaker.abandoned(permit, self._clock())
        self._log_change(was_closed=was_closed)

    def _was_cut_short(self, exc: PathFailed, span_s: float) -> bool:
        if exc.failure is Failure.NOT_ASKED:
            return True
        return exc.failure is Failure.TIMED_OUT and span_s < self._fair_span_s

    def _log_change(self, *, was_closed: bool) -> None:
        is_closed = self.breaker.state is BreakerState.CLOSED
        if was_closed and not is_closed:
            self._log.warning("auth_breaker_opened", target=self.transport.name)
        elif is_closed and not was_closed:
            self._log.warning("auth_breaker_closed", target=self.transport.name)
