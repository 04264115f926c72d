"""Whether this service should get traffic: what its probes last said, until it drains.

`Readiness` is pure and only remembers; `probe_readiness` asks the probes, again and again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from svckit.errors import ServiceError

__all__ = ["Probe", "ReadinessReport", "Readiness", "probe_readiness"]

# Returns when the thing it asks is well, raises when not.
Probe = Callable[[], Awaitable[object]]

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
        readiness.failed(name, exc.detail)
    except Exception as exc:  # noqa: BLE001 # a probe that breaks is a probe that fails
        readiness.failed(name, f"failed with {type(exc).__name__}")
    else:
        readiness.succeeded(name)
