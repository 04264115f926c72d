"""Lets services in by the credential that they show, and says in the log who was refused."""

from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from svckit.callers import Callers, Credential, LimitedCaller, UnknownCaller
from svckit.rare_lines import RareLines

__all__ = ["Gate", "OnRefused"]

SAID_EVERY_S = 10.0
KINDS_MAX = 100
OTHERS = ("many others", "various")


# Of whom, for which RPC ("" for none), and why. It is called for each refusal, and must not raise.
OnRefused = Callable[[str, str, UnknownCaller | LimitedCaller], None]


class Gate:
    """`clock` gives monotonic seconds."""

    def __init__(
        self,
        callers: Callers,
        *,
        log: FilteringBoundLogger,
        clock: Callable[[], float],
        on_refused: OnRefused,
    ) -> None:
        self._callers = callers
        self._on_refused = on_refused
        self._log = log
        self._clock = clock
        self._lines: RareLines[tuple[str, str]] = RareLines(
            period_s=SAID_EVERY_S, kinds_max=KINDS_MAX
        )

    def admit(self, shown: Credential, *, rpc: str | None, peer: str) -> str:
        """The name of the calling service. Raises UnknownCaller, or LimitedCaller for this RPC.

        Without an RPC it is enough to be known.
        """
        try:
            name = self._callers.name_of(shown)
            if rpc is not None:
                self._callers.check_may_call(name, rpc)
        except (UnknownCaller, LimitedCaller) as refused:
            self._say(peer, refused.reason)
            self._on_refused(peer, rpc or "", refused)
            raise
        return name

    def _say(self, peer: str, reason: str) -> None:
        line = self._lines.happened((peer, reason), self._clock())
        if line is not None:
            whence, why = line.kind or OTHERS
            self._log.warning("caller_refused", peer=whence, reason=why, count=line.count)
