"""Stopping a server while clients are connected: on uvloop and on asyncio's own loop."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest
import uvloop
from grpclib.client import Channel
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.health.v1.health_grpc import HealthStub
from grpclib.health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

from generated.auth import AuthServiceStub, ValidateLocalRequest, ValidateLocalResponse
from svckit.readiness import Readiness
from tests.integration.svckit.serving import FakeAuth, Served, channel_to, served

Run = Callable[[Coroutine[None, None, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine on a loop of its own, for at most 10 s."""

    def run_on_loop(main: Coroutine[None, None, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(main, 10.0))

    return run_on_loop


class Stoppable:
    """A served FakeAuth whose calls block; it stops while the test goes on."""

    def __init__(self, *, drain_s: float = 5.0) -> None:
        self.auth = FakeAuth()
        self.auth.answer = self.auth.blocked
        self.readiness = Readiness()
        self._drain_s = drain_s
        self._stop = asyncio.Event()
        self._task = asyncio.ensure_future(self._run())
        self._serving: asyncio.Future[Served] = asyncio.get_running_loop().create_future()

    async def started(self) -> Served:
        return await self._serving

    def stop(self) -> "asyncio.Task[None]":
        self._stop.set()
        return self._task

    async def draining(self) -> None:
        reached = asyncio.Event()
        self.readiness.subscribe(lambda report: reached.set() if report.is_draining else None)
        await reached.wait()

    async def _run(self) -> None:
        async with served(self.auth, readiness=self.readiness, drain_s=self._drain_s) as serving:
            self._serving.set_result(serving)
            await self._stop.wait()


def test_a_call_in_flight_gets_its_answer(run: Run) -> None:
    async def main() -> None:
        server = Stoppable()
        async with channel_to(await server.started()) as channel:
            call = asyncio.ensure_future(_ask(channel))
            await server.auth.entered.wait()

            stopped = server.stop()
            await server.draining()
            server.auth.release.set()

            assert (await call).is_valid
            await stopped

    run(main())


def test_a_new_call_on_an_old_connection_is_refused_as_unavailable(run: Run) -> None:
    async def main() -> None:
        server = Stoppable()
        async with channel_to(await server.started()) as channel:
            first = asyncio.ensure_future(_ask(channel))
            await server.auth.entered.wait()
            stopped = server.stop()
            await server.draining()

            with pytest.raises(GRPCError) as raised:
                await _ask(channel)

            assert raised.value.status is Status.UNAVAILABLE
            server.auth.release.set()
            assert (await first).is_valid
            await stopped

    run(main())


def test_health_says_not_serving_while_calls_finish(run: Run) -> None:
    async def main() -> None:
        server = Stoppable()
        async with channel_to(await server.started()) as channel:
            call = asyncio.ensure_future(_ask(channel))
            await server.auth.entered.wait()
            stopped = server.stop()
            await server.draining()

            health = await HealthStub(channel).Check(HealthCheckRequest(), timeout=5.0)

            assert health.status == HealthCheckResponse.NOT_SERVING
            server.auth.release.set()
            await call
            await stopped

    run(main())


def test_nobody_new_can_connect(run: Run) -> None:
    async def main() -> None:
        server = Stoppable()
        serving = await server.started()
        async with channel_to(serving) as channel:
            call = asyncio.ensure_future(_ask(channel))
            await server.auth.entered.wait()
            stopped = server.stop()
            await server.draining()
            await asyncio.sleep(0)  # the listener closes right after the state has turned

            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(serving.address.host, serving.address.port)

            server.auth.release.set()
            await call
            await stopped

    run(main())


def test_a_call_that_does_not_end_is_cut_at_the_bound(run: Run) -> None:
    async def main() -> None:
        server = Stoppable(drain_s=0.1)
        serving = await server.started()
        async with channel_to(serving) as channel:
            call = asyncio.ensure_future(_ask(channel))
            await server.auth.entered.wait()

            async with asyncio.timeout(1.0):
                await server.stop()

            with pytest.raises(StreamTerminatedError):
                await call
        assert serving.seen.lines("rpc")[0]["code"] == "CANCELLED"

    run(main())


def test_a_health_watch_does_not_hold_the_drain(run: Run) -> None:
    async def main() -> None:
        server = Stoppable(drain_s=5.0)
        async with channel_to(await server.started()) as channel:
            watching = asyncio.ensure_future(_watch(channel, server.auth.entered))
            await server.auth.entered.wait()

            async with asyncio.timeout(1.0):
                await server.stop()

            with pytest.raises(StreamTerminatedError):
                await watching

    run(main())


def test_an_idle_client_does_not_hold_the_drain(run: Run) -> None:
    async def main() -> None:
        server = Stoppable(drain_s=5.0)
        server.auth.release.set()
        async with channel_to(await server.started()) as channel:
            await _ask(channel)

            async with asyncio.timeout(1.0):
                await server.stop()

    run(main())


async def _ask(channel: Channel) -> ValidateLocalResponse:
    return await AuthServiceStub(channel).validate_local(ValidateLocalRequest(), timeout=5.0)


async def _watch(channel: Channel, entered: asyncio.Event) -> None:
    """Sets `entered` at the first message."""
    async with HealthStub(channel).Watch.open() as watch:
        await watch.send_message(HealthCheckRequest(), end=True)
        while await watch.recv_message():
            entered.set()
