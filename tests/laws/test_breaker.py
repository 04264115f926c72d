"""The law of the breaker, over any order of calls, outcomes and pauses."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from catalogsvc.authz.breaker import Breaker, BreakerState, Permit

FAILURES_MAX, COOLDOWN_S = 3, 10.0


class BreakerLaw(RuleBasedStateMachine):
    """Against a model that keeps its own record of what may be asked when."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(failures_max=FAILURES_MAX, cooldown_s=COOLDOWN_S)
        self.now = 0.0
        self.out: list[Permit] = []
        self.row = 0
        self.is_open = False
        self.probe_at = 0.0
        self.probe: Permit | None = None

    @rule(span_s=st.floats(0.0, 25.0))
    def time_passes(self, span_s: float) -> None:
        self.now += span_s

    @rule()
    def ask(self) -> None:
        may_ask = not self.is_open or (self.probe is None and self.now >= self.probe_at)
        assert (self.breaker.refusal(self.now) is None) == may_ask
        answer = self.breaker.admit(self.now)
        assert isinstance(answer, Permit) == may_ask
        if isinstance(answer, Permit):
            self.out.append(answer)
            if self.is_open:
                self.probe = answer
        else:
            assert 0.0 <= answer.retry_after_s <= COOLDOWN_S + 1e-9

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        permit, has_vote = self._take(data)
        self.breaker.failed(permit, self.now)
        self.row += has_vote
        if has_vote and (self.probe or self.row >= FAILURES_MAX):
            self._open(self.now + COOLDOWN_S)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        permit, has_vote = self._take(data)
        self.breaker.succeeded(permit)
        if has_vote:
            self.row = 0
            self.is_open, self.probe = False, None

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def abandon(self, data: st.DataObject) -> None:
        permit, has_vote = self._take(data)
        self.breaker.abandoned(permit, self.now)
        if has_vote and self.probe:
            self._open(self.now)

    @invariant()
    def states_agree(self) -> None:
        state = self.breaker.state
        assert (state is BreakerState.CLOSED) == (not self.is_open)
        assert (state is BreakerState.PROBING) == (self.probe is not None)

    def _take(self, data: st.DataObject) -> tuple[Permit, bool]:
        """Any permit that is out, and whether it is of the present and so has a vote."""
        permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        present = self.probe if self.is_open else Permit(self._closed_generation())
        return permit, permit == present

    def _closed_generation(self) -> int:
        permit = self.breaker.admit(self.now)
        assert isinstance(permit, Permit)
        return permit.generation

    def _open(self, probe_at: float) -> None:
        self.is_open, self.probe, self.probe_at, self.row = True, None, probe_at, 0


TestBreakerLaw = BreakerLaw.TestCase
