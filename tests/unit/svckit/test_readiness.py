from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from svckit.readiness import Readiness, ReadinessReport

PROBES = ("store", "auth")


def test_a_probe_that_was_not_asked_yet_is_a_reason_not_to_be_ready() -> None:
    report = Readiness(["store"]).report()

    assert report == ReadinessReport(
        is_ready=False, is_draining=False, failures={"store": "not asked yet"}
    )


def test_without_probes_a_service_is_ready() -> None:
    assert Readiness().is_ready


def test_a_drain_is_for_good() -> None:
    readiness = Readiness(["store"])
    readiness.drain()

    readiness.succeeded("store")

    assert readiness.report() == ReadinessReport(is_ready=False, is_draining=True, failures={})


def test_a_listener_is_told_the_state_and_then_each_turn_once() -> None:
    readiness = Readiness(["store"])
    told: list[bool] = []

    readiness.subscribe(lambda report: told.append(report.is_ready))
    readiness.failed("store", "down")
    readiness.succeeded("store")
    readiness.succeeded("store")
    readiness.drain()
    readiness.drain()

    assert told == [False, True, False]


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
