"""A drain that is cancelled in its turn still closes the server: nothing is served after it."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest
import uvloop
from grpclib.client import Channel
from grpclib.exceptions import StreamTerminatedError

from generated.auth import AuthServiceStub, ValidateLocalRequest, ValidateLocalResponse
from svckit.readiness import Readiness
from tests.integration.svckit.serving import FakeAuth, Served, channel_to, served

Run = Callable[[Coroutine[None, None, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def run_on_loop(main: Coroutine[None, None, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(main, 10.0))

    return run_on_loop


async def ask(channel: Channel) -> ValidateLocalResponse:
    return await AuthServiceStub(channel).validate_local(ValidateLocalRequest(), timeout=5.0)


async def serve_for_ever(
    auth: FakeAuth, readiness: Readiness, is_serving: "asyncio.Future[Served]"
) -> None:
    async with served(auth, readiness=readiness, drain_s=5.0) as serving:
        is_serving.set_result(serving)
        await asyncio.Event().wait()


def test_a_drain_that_is_cancelled_ends_every_call_and_every_connection(run: Run) -> None:
    async def main() -> None:
        auth, readiness, is_draining = FakeAuth(), Readiness(), asyncio.Event()
        auth.answer = auth.blocked
        readiness.subscribe(lambda report: is_draining.set() if report.is_draining else None)
        is_serving: asyncio.Future[Served] = asyncio.get_running_loop().create_future()
        server = asyncio.create_task(serve_for_ever(auth, readiness, is_serving))
        async with channel_to(await is_serving) as channel:
            call = asyncio.create_task(ask(channel))
            await auth.entered.wait()
            server.cancel()
            await is_draining.wait()
            await asyncio.sleep(0)  # the drain waits for the call only now

            server.cancel()
            with pytest.raises(asyncio.CancelledError):
                await server
            auth.release.set()

            with pytest.raises(StreamTerminatedError):
                await call
            with pytest.raises(ConnectionRefusedError):
                await ask(channel)

    run(main())
