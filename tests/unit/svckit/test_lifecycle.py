"""Services start in order and stop in reverse, on a signal or on a failure."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

import pytest

from svckit import lifecycle
from svckit.lifecycle import run_services
from svckit.service import Serving, StartError


@pytest.fixture(autouse=True)
def _signal_handlers_as_before() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


class Recorded:
    """A service that writes down when it starts and stops; `starting` runs as it starts."""

    def __init__(self, name: str, seen: list[str], starting: Callable[[], None]) -> None:
        self.name = name
        self._seen = seen
        self._starting = starting

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Serving]:
        self._seen.append(f"{self.name} starts")
        self._starting()
        # A few turns of the loop, in which a signal is heard.
        for _ in range(5):
            await asyncio.sleep(0)
        try:
            yield Serving(endpoints={"at": self.name})
        finally:
            self._seen.append(f"{self.name} stops")


class Run:
    """Services one, two and three; what happens while each starts, and once all are up."""

    def __init__(
        self,
        *,
        starting: dict[str, Callable[[], None]] | None = None,
        announced: Callable[[], None] = lambda: None,
    ) -> None:
        self.seen: list[str] = []
        hooks = starting or {}
        self._services = [
            Recorded(name, self.seen, hooks.get(name, lambda: None))
            for name in ("one", "two", "three")
        ]
        self._announced = announced

    async def __call__(self) -> None:
        await asyncio.wait_for(run_services(self._services, self._announce), 10)

    def _announce(self, serving: Sequence[tuple[str, Serving]]) -> None:
        self.seen.append(" ".join(name for name, _ in serving) + " serve")
        self._announced()


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("stop", [terminate, interrupt])
async def test_services_start_in_order_and_stop_in_reverse(stop: Callable[[], None]) -> None:
    run = Run(announced=stop)

    await run()

    assert run.seen == [
        *("one starts", "two starts", "three starts", "one two three serve"),
        *("three stops", "two stops", "one stops"),
    ]


async def test_a_signal_during_the_start_of_a_service_starts_no_other() -> None:
    run = Run(starting={"two": terminate})

    await run()

    assert run.seen == ["one starts", "two starts", "two stops", "one stops"]


async def test_the_second_signal_finds_the_defaults_of_the_system() -> None:
    run = Run(announced=terminate)

    await run()

    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == [signal.SIG_DFL] * 2


async def test_a_service_that_cannot_start_stops_those_before_it() -> None:
    def refuse() -> None:
        raise StartError("no")

    run = Run(starting={"three": refuse})

    with pytest.raises(StartError, match="no"):
        await run()

    assert run.seen == ["one starts", "two starts", "three starts", "two stops", "one stops"]


async def test_whoever_cancels_the_run_stops_all_services() -> None:
    announced = asyncio.Event()
    run = Run(announced=announced.set)
    task = asyncio.create_task(run())
    await asyncio.wait_for(announced.wait(), 10)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert run.seen[-3:] == ["three stops", "two stops", "one stops"]


@pytest.mark.parametrize(
    ("message", "exception", "said"),
    [
        (
            "Unhandled exception in client_connected_cb",
            ExceptionGroup("unhandled", [TimeoutError("as ana")]),
            ["an HTTP connection broke off: TimeoutError"],
        ),
        ("Exception in callback", asyncio.CancelledError(), []),
    ],
)
async def test_what_a_client_breaks_writes_no_traceback(
    message: str, exception: BaseException, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    lifecycle._report(asyncio.get_running_loop(), {"message": message, "exception": exception})

    assert [record.getMessage() for record in caplog.records] == said
    assert all(record.exc_info is None for record in caplog.records)


async def test_any_other_failure_that_nobody_awaits_is_reported_whole(
    caplog: pytest.LogCaptureFixture,
) -> None:
    context = {"message": "Task exception was never retrieved", "exception": ValueError("odd")}

    lifecycle._report(asyncio.get_running_loop(), context)

    (record,) = caplog.records
    assert record.exc_info is not None
