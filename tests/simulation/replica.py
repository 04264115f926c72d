"""One Auth process of the simulation: the real follower, checks, service and watch streams.

Only its store and its wires are ours. `Place` is its address: there may be nobody at it, or by and
by several processes, none of which knows what the one before knew.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from authsvc.access_v1.watching import WatchAsked, WatchReply, WatchStream
from authsvc.checks import Checks
from authsvc.follower import follow
from authsvc.keys import Keys
from authsvc.knowledge import Knowledge
from authsvc.service import AuthService
from tests.simulation.database import Database, StoreOverNetwork
from tests.simulation.network import Network
from tests.simulation.process import Process
from tests.simulation.tokens import RULES

__all__ = ["Replica", "Place", "WatchSession"]

# Few, so that records come and go.
RECORDS_WEIGHT_MAX = 60
# Replies that a client has not taken yet; then the sending waits, as on a full socket.
UNTAKEN_MAX = 3


@dataclass(slots=True, kw_only=True)
class Place:
    """`machine` is up when the process is not: it refuses connections. `on_break`: who waits."""

    machine: Process
    replica: "Replica | None" = None
    on_break: dict[Callable[[], None], None] = field(default_factory=dict)  # in their order

    @property
    def name(self) -> str:
        return self.machine.name


class Replica:
    def __init__(
        self, process: Process, database: Database, network: Network, counts: Counter[str]
    ) -> None:
        self.process = process
        self.bugs: list[str] = []
        self._network = network
        loop = process.loop
        store = StoreOverNetwork(database, network, process, counts)
        self._knowledge = Knowledge(records_weight_max=RECORDS_WEIGHT_MAX)
        self._following = follow(
            store,
            self._knowledge,
            clock=process.lease_clock,
            report_bug=lambda bug: self.bugs.append(f"{process.name}: {bug!r}"),
        )
        self._checks = Checks(store=store, knowledge=self._knowledge, clock=process.lease_clock)
        self.service = AuthService(
            store=store,
            checks=self._checks,
            keys=Keys(
                store,
                freshness=self._knowledge.freshness,
                clock=process.lease_clock,
                wall_clock=process.wall_clock,
            ),
            rules=RULES,
            wall_clock=process.wall_clock,
        )
        self._is_following: asyncio.Future[None] = loop.create_future()
        process.spawn(self._run())

    async def watch(self, session: "WatchSession") -> None:
        """Serves one client until it has gone."""
        await self._is_following
        stream = WatchStream(self._follower, self._knowledge.log, send=session.send)
        await stream.serve(session.asked())

    async def _run(self) -> None:
        async with self._following as self._follower:
            self._is_following.set_result(None)
            try:
                await self.process.loop.create_future()
            finally:
                await self._checks.close()


class WatchSession:
    """The server's end of one Watch connection."""

    def __init__(self, *, tell: Callable[[WatchReply], None]) -> None:
        self._tell = tell
        self._asked: asyncio.Queue[WatchAsked | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(UNTAKEN_MAX)

    def ask(self, asked: WatchAsked) -> None:
        self._asked.put_nowait(asked)

    def end(self) -> None:
        """The client has gone."""
        self._asked.put_nowait(None)
        self._room.release()

    def taken(self) -> None:
        self._room.release()

    async def asked(self) -> AsyncIterator[WatchAsked]:
        while (asked := await self._asked.get()) is not None:
            yield asked

    async def send(self, reply: WatchReply) -> None:
        await self._room.acquire()
        self._tell(reply)
