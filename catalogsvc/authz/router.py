"""Which path is asked, for how long, and which comes next."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from structlog.typing import FilteringBoundLogger

from catalogsvc.authz.breaker import BreakerState
from catalogsvc.authz.call import Clock
from catalogsvc.authz.closing import close_all
from catalogsvc.authz.errors import (
    RETRY_AFTER_S,
    AuthProtocolError,
    AuthUnavailable,
    CredentialRefused,
)
from catalogsvc.authz.model import Source
from catalogsvc.authz.path import ANSWERS, GuardedPath, Path, Question
from catalogsvc.authz.transport import Failure, PathFailed
from svckit.deadline import Deadline
from svckit.rare_lines import RareLines

__all__ = ["Router", "attempt_span_s"]

A = TypeVar("A")

# A call that failed on two targets is better off with REST than with the whole list.
TARGETS_PER_CALL_MAX = 2

# A setting is wrong, and each call finds it so.
REFUSED_EVERY_S = 60.0


def attempt_span_s(*, left_s: float, attempt_timeout_s: float, paths_after: int) -> float:
    """How long one attempt may take, so that the paths after it keep half of the time or more."""
    return left_s if paths_after == 0 else min(attempt_timeout_s, left_s / 2)


class Router:
    """gRPC targets by turn, two at most, then REST in its order; each within the one deadline."""

    def __init__(
        self,
        targets: Sequence[GuardedPath],
        rest: Sequence[Path],
        *,
        attempt_timeout_s: float,
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self.targets = targets
        self.rest = rest
        self.answers: Counter[Source] = Counter()
        self._attempt_timeout_s = attempt_timeout_s
        self._clock = clock
        self._log = log
        self._turn = 0
        self._is_falling_back = False
        self._refused: RareLines[str] = RareLines(
            period_s=REFUSED_EVERY_S, kinds_max=max(1, len(targets) + len(rest))
        )

    async def ask(self, question: Question[A], *, deadline: Deadline) -> A:
        """Auth's answer. Raises AuthUnavailable when no path gave one, else as Transport does."""
        paths = self._paths()
        failures: list[PathFailed] = []
        for position, path in enumerate(paths, start=1):
            left_s = deadline.left_s(self._clock())
            if left_s == 0.0:
                break
            span_s = attempt_span_s(
                left_s=left_s,
                attempt_timeout_s=self._attempt_timeout_s,
                paths_after=len(paths) - position,
            )
            try:
                return await self._ask_one(path, question, span_s)
            except PathFailed as exc:
                failures.append(exc)
        raise self._unavailable(failures) from (failures[-1] if failures else None)

    async def close(self) -> None:
        await close_all(*(path.transport.close() for path in (*self.targets, *self.rest)))

    def _paths(self) -> list[Path]:
        """Those worth asking now, in order."""
        # Plain steps, because each batch of questions comes this way.
        turn, count = self._turn, len(self.targets)
        self._turn = (turn + 1) % max(1, count)
        paths: list[Path] = []
        for step in range(count):
            target = self.targets[(turn + step) % count]
            if target.refusal() is None:
                paths.append(target)
                if len(paths) == TARGETS_PER_CALL_MAX:
                    break
        paths.extend(self.rest)
        return paths

    async def _ask_one(self, path: Path, question: Question[A], span_s: float) -> A:
        try:
            answer = await path.ask(question, span_s=span_s)
        except CredentialRefused:
            self._say_refused(path.transport.name)
            raise
        except ANSWERS:
            self.answers[path.source] += 1
            raise
        else:
            self.answers[path.source] += 1
            return answer
        finally:
            self._log_fallback()

    def _log_fallback(self) -> None:
        """The fallback is in use while no target's breaker is closed; said once each way."""
        if not self.targets or not self.rest:
            return
        is_falling_back = True
        for target in self.targets:
            if target.breaker.state is BreakerState.CLOSED:
                is_falling_back = False
                break
        if is_falling_back != self._is_falling_back:
            self._is_falling_back = is_falling_back
            event = "auth_fallback_begins" if is_falling_back else "auth_fallback_ends"
            self._log.warning(event)

    def _say_refused(self, path: str) -> None:
        line = self._refused.happened(path, self._clock())
        if line is not None:
            self._log.warning("auth_refuses_us", target=path, count=line.count)

    def _unavailable(self, failures: Sequence[PathFailed]) -> AuthUnavailable:
        asked = [failure for failure in failures if failure.failure is not Failure.NOT_ASKED]
        tried = tuple(failure.path for failure in asked)
        if asked and all(failure.failure is Failure.UNINTELLIGIBLE for failure in asked):
            return AuthProtocolError("Auth's answer cannot be understood", tried=tried)
        refusals = [refusal for target in self.targets if (refusal := target.refusal())]
        if asked or not refusals:
            return AuthUnavailable(tried=tried)
        soonest_s = min(refusal.retry_after_s for refusal in refusals)
        return AuthUnavailable(tried=tried, retry_after_s=max(soonest_s, RETRY_AFTER_S))
