import asyncio
from collections.abc import Awaitable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from svckit.errors import Unavailable
from svckit.readiness import Probe, Readiness, ReadinessReport, probe_readiness

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


async def test_every_probe_is_asked_before_the_body_runs() -> None:
    async with probe_readiness({"store": _well, "auth": _failing(OSError("secret"))}) as readiness:
        assert readiness.report().failures == {"auth": "failed with OSError"}


@pytest.mark.parametrize(
    ("probe_error", "reason"),
    [
        (Unavailable("the database does not answer"), "the database does not answer"),
        (ValueError("a secret"), "failed with ValueError"),
    ],
)
async def test_only_a_safe_reason_is_shown(probe_error: Exception, reason: str) -> None:
    async with probe_readiness({"store": _failing(probe_error)}) as readiness:
        assert readiness.report().failures == {"store": reason}


async def test_a_probe_that_hangs_counts_as_failed_after_its_bound() -> None:
    async with probe_readiness({"store": asyncio.Event().wait}, timeout_s=0.01) as readiness:
        assert readiness.report().failures == {"store": "no answer within 0.01 s"}


async def test_probes_are_asked_again_and_again() -> None:
    store = Switch()

    async with probe_readiness({"store": store.ask}, interval_s=0.001) as readiness:
        lost = _turned(readiness, is_ready=False)
        store.error = Unavailable("down")
        await lost
        back = _turned(readiness, is_ready=True)
        store.error = None
        await back


async def test_a_body_that_fails_ends_the_probing() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with probe_readiness({"store": _well}):
            raise ValueError

    assert raised.group_contains(ValueError)
    assert [task.get_name() for task in asyncio.all_tasks() if "probe" in task.get_name()] == []


class Switch:
    error: Exception | None = None

    async def ask(self) -> None:
        if self.error is not None:
            raise self.error


async def _well() -> None:
    pass


def _failing(error: Exception) -> Probe:
    async def fail() -> None:
        raise error

    return fail


def _turned(readiness: Readiness, *, is_ready: bool) -> Awaitable[None]:
    reached = asyncio.Event()

    def tell(report: ReadinessReport) -> None:
        if report.is_ready is is_ready:
            reached.set()

    readiness.subscribe(tell)

    async def wait() -> None:
        async with asyncio.timeout(5.0):
            await reached.wait()

    return wait()
