import asyncio
from collections.abc import Awaitable

import pytest

from svckit.errors import Unavailable
from svckit.probes import Probe, log_readiness, probe_readiness
from svckit.readiness import Readiness, ReadinessReport
from tests.unit.svckit.seen import Seen


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


def test_each_turn_is_one_line_with_its_reasons() -> None:
    seen = Seen()
    readiness = Readiness(["store"])
    log_readiness(readiness, seen.telemetry.log)

    readiness.succeeded("store")
    readiness.failed("store", "the database does not answer")
    readiness.failed("store", "the database does not answer")
    readiness.succeeded("store")
    readiness.drain()

    lines = [(e["event"], e["log_level"], e.get("reasons")) for e in seen.capture.entries]
    assert lines == [
        ("not_ready", "warning", {"store": "not asked yet"}),
        ("ready", "info", None),
        ("not_ready", "warning", {"store": "the database does not answer"}),
        ("ready", "info", None),
        ("not_ready", "info", {"drain": "shutting down"}),
    ]


async def test_a_failure_names_the_kind_of_its_cause() -> None:
    async def ping() -> None:
        try:
            raise ConnectionRefusedError("to 10.0.0.1, as portero")
        except OSError as exc:
            raise Unavailable("the database does not answer") from exc

    async with probe_readiness({"store": ping}) as readiness:
        report = readiness.report()

    assert report.failures == {"store": "the database does not answer (ConnectionRefusedError)"}
