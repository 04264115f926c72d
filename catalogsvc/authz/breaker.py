"""A circuit breaker: who keeps failing is left alone for a while, then asked by one probe.

    CLOSED --failures_max failures in a row--> OPEN
    OPEN --cooldown over, the next admit is the probe--> PROBING
    PROBING --probe succeeded--> CLOSED
    PROBING --probe failed--> OPEN, for a whole cooldown
    PROBING --probe abandoned--> OPEN, but the next admit may probe at once

Each arrow starts a new generation. A permit of an older generation has no vote: a slow call may
report long after the breaker has moved on. Pure.
"""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Breaker", "BreakerState", "Permit", "Refusal"]


class BreakerState(StrEnum):
    CLOSED = "CLOSED"
    OPEN = "OPEN"
    PROBING = "PROBING"


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to ask once. Whoever holds it reports exactly one outcome."""

    generation: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Do not ask now; 0 seconds while a probe is out, because it may end at any moment."""

    retry_after_s: float


class Breaker:
    """`now` is in monotonic seconds and never goes back."""

    __slots__ = (
        "_cooldown_s",
        "_failures",
        "_failures_max",
        "_generation",
        "_permit",
        "_probe_at",
        "_state",
    )

    def __init__(self, *, failures_max: int, cooldown_s: float) -> None:
        assert failures_max >= 1, failures_max
        assert cooldown_s > 0, cooldown_s
        self._failures_max = failures_max
        self._cooldown_s = cooldown_s
        self._state = BreakerState.CLOSED
        self._generation = 0
        self._permit = Permit(0)
        self._failures = 0
        self._probe_at = 0.0

    @property
    def state(self) -> BreakerState:
        return self._state

    def refusal(self, now: float) -> Refusal | None:
        """What `admit` would refuse with, without taking a permit."""
        if self._state is BreakerState.CLOSED:
            return None
        if self._state is BreakerState.OPEN and now >= self._probe_at:
            return None
        return Refusal(max(0.0, self._probe_at - now))

    def admit(self, now: float) -> Permit | Refusal:
        if refusal := self.refusal(now):
            return refusal
        if self._state is BreakerState.OPEN:
            self._enter(BreakerState.PROBING)
        return self._permit

    def succeeded(self, permit: Permit) -> None:
        """The target answered."""
        if permit.generation != self._generation:
            return
        if self._state is BreakerState.PROBING:
            self._enter(BreakerState.CLOSED)
        self._failures = 0

    def failed(self, permit: Permit, now: float) -> None:
        """The target did not answer, and that is its own fault."""
        if permit.generation != self._generation:
            return
        self._failures += 1
        if self._state is BreakerState.PROBING or self._failures >= self._failures_max:
            self._open(probe_at=now + self._cooldown_s)

    def abandoned(self, permit: Permit, now: float) -> None:
        """The call ended without saying anything about the target."""
        if permit.generation == self._generation and self._state is BreakerState.PROBING:
            self._open(probe_at=now)

    def _open(self, *, probe_at: float) -> None:
        self._enter(BreakerState.OPEN)
        self._probe_at = probe_at

    def _enter(self, state: BreakerState) -> None:
        self._state = state
        self._generation += 1
        self._permit = Permit(self._generation)
        self._failures = 0
