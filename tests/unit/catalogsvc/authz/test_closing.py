"""Whatever one close does, the others are done."""

import asyncio

import pytest
import structlog

from catalogsvc.authz import AuthClient, AuthClientSettings
from catalogsvc.authz.closing import close_all
from catalogsvc.authz.model import Source
from catalogsvc.authz.path import Path
from catalogsvc.authz.router import Router
from catalogsvc.authz.wiring import Wires
from tests.contract.authz.fake_book import FakeAuth
from tests.contract.authz.fake_transport import FakeFeed, FakeTransport

LOG = structlog.wrap_logger(structlog.ReturnLogger(), wrapper_class=structlog.BoundLogger)


class Raising(FakeTransport):
    async def close(self) -> None:
        raise LookupError("a bug")


class Hanging(FakeTransport):
    async def close(self) -> None:
        await asyncio.Event().wait()


class Feed(FakeFeed):
    is_closed = False

    async def close(self) -> None:
        self.is_closed = True


def wires_over(first: FakeTransport, last: FakeTransport, feed: Feed) -> Wires:
    def now() -> float:
        return asyncio.get_running_loop().time()

    router = Router(
        [],
        [Path(transport, source=Source.REST, clock=now) for transport in (first, last)],
        attempt_timeout_s=1.0,
        clock=now,
        log=LOG,
    )
    return Wires(router=router, feeds=[feed])


async def test_one_that_raises_keeps_none_open_and_its_error_is_not_lost() -> None:
    last, feed = FakeTransport(), Feed(auth=FakeAuth())

    with pytest.raises(LookupError):
        await wires_over(Raising(), last, feed).close()

    assert (last.is_closed, feed.is_closed) == (True, True)


async def test_one_that_hangs_keeps_none_open_and_the_client_waits_for_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("catalogsvc.authz.client.CLOSE_TIMEOUT_S", 0.01)
    last, feed = FakeTransport(), Feed(auth=FakeAuth())
    client = AuthClient(
        AuthClientSettings(rest_urls=("http://a:1",), max_staleness_s=0),
        log=LOG,
        wires=wires_over(Hanging(), last, feed),
    )

    async with asyncio.timeout(5.0), client:
        pass

    assert (last.is_closed, feed.is_closed) == (True, True)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_one_that_was_cancelled_is_closed_as_far_as_it_goes() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    await close_all(cancelled())
