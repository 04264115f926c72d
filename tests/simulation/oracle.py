"""Judges each answer by what was true, and each call by when it ended.

A yes must have been true at some moment of the last `max_staleness_s`, and so must what a token or
a user was said to be worth; a no at some moment since its question could first have been asked;
and each decision exactly at the revision it names.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from authsvc.freshness import LEASE_S
from catalogsvc.authz.model import Decision, Identity, Source
from tests.simulation.process import Process
from tests.simulation.truth import Row, State, Truth

__all__ = ["Oracle"]

# What floating point makes of times.
GRAIN_S = 1e-6
DEADLINE_GRAIN_S = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """`violations` are the promises that were broken, in words."""

    truth: Truth
    max_staleness_s: float
    violations: list[str] = field(default_factory=list)

    def judge_decision(self, row: Row, decision: Decision, *, asked_at: float, now: float) -> None:
        said = (decision.reason.name, decision.local_name)
        if decision.revision and not self.truth.was_at(
            decision.revision, lambda state: state.answer(row) == said
        ):
            self._say(f"{row} was never {decision} at that revision")
        if decision.is_valid:
            if not self._was_lately(lambda state: state.answer(row) == said, now=now):
                self._say(f"stale yes: {row} was last {decision} longer ago")
            return
        # What a change of one user makes of a question about another organization is still a no.
        since = self._no_since(asked_at, is_cached=decision.source is Source.CACHE)
        if not self.truth.was(lambda state: state.answer(row)[0] != "ALLOWED", since=since):
            self._say(f"groundless no: {row} was never {decision} of late")

    def judge_identity(
        self, user_id: str, identity: Identity, *, expires_at: float, now: float, wall_now: float
    ) -> None:
        if wall_now > expires_at:
            self._say(f"the token of {user_id} had expired")
        if not self._was_lately(
            lambda state: (
                state.has_active(user_id) and state.permissions(user_id) == identity.permissions
            ),
            now=now,
        ):
            self._say(f"stale identity: {identity}")

    def judge_bad_token(
        self, user_id: str, *, expires_at: float, asked_at: float, now: float, wall_now: float
    ) -> None:
        since = self._no_since(asked_at, is_cached=False)
        is_expired = wall_now > expires_at
        if not is_expired and not self.truth.was(
            lambda state: not state.has_active(user_id), since=since
        ):
            self._say(f"the token of {user_id} was good all the time")

    def judge_permissions(self, user_id: str, said: frozenset[str], *, now: float) -> None:
        if not self._was_lately(lambda state: state.permissions(user_id) == said, now=now):
            self._say(f"stale permissions of {user_id}: {sorted(said)}")

    def judge_unknown(self, user_id: str, *, asked_at: float, now: float) -> None:
        since = self._no_since(asked_at, is_cached=False)
        if not self.truth.was(lambda state: user_id not in state.users, since=since):
            self._say(f"{user_id} was known all the time")

    def judge_end(self, deadline_at: float, process: Process) -> None:
        """On the process's own clock; one that stood still can only be late."""
        allowed_at = max(deadline_at, process.resumed_at)
        if process.loop.time() > allowed_at + DEADLINE_GRAIN_S:
            late_s = process.loop.time() - allowed_at
            self._say(f"a call of {process.name} ended {late_s:.3f} s after its deadline")

    def _say(self, violation: str) -> None:
        self.violations.append(violation)

    def _was_lately(self, holds: Callable[[State], bool], *, now: float) -> bool:
        return self.truth.was(holds, since=now - self.max_staleness_s - GRAIN_S)

    def _no_since(self, asked_at: float, *, is_cached: bool) -> float:
        if is_cached:
            # Of many rows some may be found at once, and wait for the others.
            return asked_at - self.max_staleness_s - GRAIN_S
        # It may share the answer to a question that was asked as long before, by a server whose
        # lease was as old.
        return asked_at - self.max_staleness_s - LEASE_S - GRAIN_S
