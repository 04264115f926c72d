"""Asks the probes of a service, again and again, and keeps its readiness by what they say."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from structlog.typing import FilteringBoundLogger

from svckit.cause import cause_of
from svckit.errors import ServiceError
from svckit.readiness import Readiness, ReadinessReport

__all__ = ["Probe", "probe_readiness", "log_readiness"]

# Returns when the thing it asks is well, raises when not.
Probe = Callable[[], Awaitable[object]]


@asynccontextmanager
async def probe_readiness(
    probes: Mapping[str, Probe], *, interval_s: float = 1.0, timeout_s: float = 1.0
) -> AsyncIterator[Readiness]:
    """Asks all probes once before the body runs, then every `interval_s`; each for `timeout_s`."""
    readiness = Readiness(probes)
    await _ask_all(readiness, probes, timeout_s)
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(
            _keep_asking(readiness, probes, interval_s, timeout_s), name="readiness-probes"
        )
        try:
            yield readiness
        finally:
            asking.cancel()


def log_readiness(readiness: Readiness, log: FilteringBoundLogger) -> None:
    """One line now, and one each time it turns."""

    def write(report: ReadinessReport) -> None:
        if report.is_ready:
            log.info("ready")
        elif report.is_draining:
            log.info("not_ready", reasons={"drain": "shutting down"})
        else:
            log.warning("not_ready", reasons=dict(report.failures))

    readiness.subscribe(write)


async def _keep_asking(
    readiness: Readiness, probes: Mapping[str, Probe], interval_s: float, timeout_s: float
) -> None:
    while True:
        await asyncio.sleep(interval_s)
        await _ask_all(readiness, probes, timeout_s)


async def _ask_all(readiness: Readiness, probes: Mapping[str, Probe], timeout_s: float) -> None:
    async with asyncio.TaskGroup() as tasks:
        for name, probe in probes.items():
            tasks.create_task(_ask(readiness, name, probe, timeout_s), name=f"probe-{name}")


async def _ask(readiness: Readiness, name: str, probe: Probe, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await probe()
    except TimeoutError:
        readiness.failed(name, f"no answer within {timeout_s:g} s")
    except ServiceError as exc:
        kind = cause_of(exc)
        readiness.failed(name, f"{exc.detail} ({kind})" if kind else exc.detail)
    except Exception as exc:  # noqa: BLE001 # a probe that breaks is a probe that fails
        readiness.failed(name, f"failed with {type(exc).__name__}")
    else:
        readiness.succeeded(name)
