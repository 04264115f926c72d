"""What carries the change feed in the simulation, between a client and the replica at a place."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from authsvc.access_v1.watching import WatchAsked, WatchPage, WatchReply
from catalogsvc.authz.feed import Change, FeedConnection, Page, Position
from catalogsvc.authz.transport import Failure, PathFailed
from tests.simulation.network import Network
from tests.simulation.process import Process
from tests.simulation.replica import Place, Replica, WatchSession

__all__ = ["FeedOverNetwork"]


class FeedOverNetwork:
    def __init__(self, place: Place, here: Process, network: Network) -> None:
        self.name = f"feed://{place.name}"
        self._place = place
        self._here = here
        self._network = network

    @asynccontextmanager
    async def connect(self, position: Position, *, tick: int) -> AsyncIterator[FeedConnection]:
        replica = self._place.replica
        connection = _Connection(self.name, self._here, replica, self._network)
        broken = partial(self._network.send, self._place.machine, self._here, connection.break_off)
        if replica is None:
            broken()
        self._place.on_break[broken] = None
        try:
            connection.open(position, tick)
            yield connection
        finally:
            self._place.on_break.pop(broken, None)
            connection.close()

    async def close(self) -> None:
        pass


class _Connection:
    """Both directions keep their order, as far as the weather lets them."""

    def __init__(self, name: str, here: Process, replica: Replica | None, network: Network) -> None:
        self._name = name
        self._here = here
        self._replica = replica
        self._network = network
        self._there = network.open_line(here.name, name)
        self._back = network.open_line(name, here.name)
        self._pages: asyncio.Queue[Page | None] = asyncio.Queue()
        self._session = WatchSession(tell=self._tell)

    def open(self, position: Position, tick: int) -> None:
        asked = WatchAsked(
            tick=tick, database_id=position.database_id, after_revision=position.revision
        )

        def serve() -> None:
            if self._replica is not None:
                self._session.ask(asked)
                self._replica.process.spawn(self._replica.watch(self._session))

        self._send(_once(serve))

    async def send_tick(self, tick: int) -> None:
        # A position in a later message means nothing.
        asked = WatchAsked(tick=tick, database_id="", after_revision=0)
        self._send(partial(self._session.ask, asked))

    async def receive(self) -> Page:
        page = await self._pages.get()
        if page is None:
            self._pages.put_nowait(None)
            raise PathFailed(self._name, Failure.BROKEN_OFF)
        self._send(self._session.taken)
        return page

    def break_off(self) -> None:
        self._pages.put_nowait(None)

    def close(self) -> None:
        self._send(self._session.end)

    def _send(self, deliver: Callable[[], None]) -> None:
        if self._replica is not None:
            self._network.send(self._here, self._replica.process, deliver, line=self._there)

    def _tell(self, reply: WatchReply) -> None:
        """On the replica's loop."""
        assert self._replica is not None
        if isinstance(reply, WatchPage):
            arrive = partial(self._pages.put_nowait, _page(reply))
            self._network.send(self._replica.process, self._here, arrive, line=self._back)


def _once(serve: Callable[[], None]) -> Callable[[], None]:
    """A connection is opened once, however often its first message comes."""
    served: list[None] = []

    def serve_first() -> None:
        if not served:
            served.append(None)
            serve()

    return serve_first


def _page(reply: WatchPage) -> Page:
    page = reply.page
    return Page(
        tick=reply.tick,
        database_id=page.database_id,
        after=page.after,
        revision=page.revision,
        is_reset=page.is_gap,
        changes=tuple(
            Change(change.revision, change.organization_id, change.user_id, change.local_id)
            for change in page.changes
        ),
    )
