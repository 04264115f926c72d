"""Law of readiness: ready when all is well and no drain has begun, and every listener knows."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from svckit.readiness import Readiness

PROBES = ("store", "auth")


class ReadinessMachine(RuleBasedStateMachine):
    """Against the plainest model there is: a set of what is not well, and a flag."""

    def __init__(self) -> None:
        super().__init__()
        self.readiness = Readiness(PROBES)
        self.unwell = set(PROBES)
        self.is_draining = False
        self.told: list[bool] = []
        self.readiness.subscribe(lambda report: self.told.append(report.is_ready))

    @rule(probe=st.sampled_from(PROBES))
    def succeed(self, probe: str) -> None:
        self.readiness.succeeded(probe)
        self.unwell.discard(probe)

    @rule(probe=st.sampled_from(PROBES), reason=st.text())
    def fail(self, probe: str, reason: str) -> None:
        self.readiness.failed(probe, reason)
        self.unwell.add(probe)

    @rule()
    def drain(self) -> None:
        self.readiness.drain()
        self.is_draining = True

    @invariant()
    def is_ready_only_when_all_is_well(self) -> None:
        expected = not self.unwell and not self.is_draining
        assert self.readiness.is_ready is expected
        assert set(self.readiness.report().failures) == self.unwell

    @invariant()
    def listeners_know(self) -> None:
        assert self.told[-1] is self.readiness.is_ready
        assert all(before != after for before, after in zip(self.told, self.told[1:], strict=False))


TestReadinessMachine = ReadinessMachine.TestCase
TestReadinessMachine.settings = settings(max_examples=50)
