"""Whether this service should get traffic: what its probes last said, until it drains. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

__all__ = ["ReadinessReport", "Readiness"]

NOT_ASKED = "not asked yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessReport:
    """`failures` maps each probe that is not well to its reason, which is safe to show."""

    is_ready: bool
    is_draining: bool
    failures: Mapping[str, str]


class Readiness:
    """Ready when every named probe is well and no drain has begun. A drain is for good."""

    __slots__ = ("_failures", "_is_draining", "_listeners")

    def __init__(self, probes: Iterable[str] = ()) -> None:
        self._failures = dict.fromkeys(probes, NOT_ASKED)
        self._is_draining = False
        self._listeners: list[Callable[[ReadinessReport], None]] = []

    @property
    def is_ready(self) -> bool:
        return not self._failures and not self._is_draining

    def report(self) -> ReadinessReport:
        return ReadinessReport(
            is_ready=self.is_ready,
            is_draining=self._is_draining,
            failures=dict(self._failures),
        )

    def subscribe(self, listener: Callable[[ReadinessReport], None]) -> None:
        """`listener` is told the state now, and then each time `is_ready` turns."""
        self._listeners.append(listener)
        listener(self.report())

    def succeeded(self, probe: str) -> None:
        was_ready = self.is_ready
        self._failures.pop(probe, None)
        self._tell(was_ready)

    def failed(self, probe: str, reason: str) -> None:
        was_ready = self.is_ready
        self._failures[probe] = reason
        self._tell(was_ready)

    def drain(self) -> None:
        was_ready = self.is_ready
        self._is_draining = True
        self._tell(was_ready)

    def _tell(self, was_ready: bool) -> None:
        if was_ready == self.is_ready:
            return
        for listener in self._listeners:
            listener(self.report())
