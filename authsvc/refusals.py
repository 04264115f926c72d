"""A row of the audit log for whoever was refused: at once, or soon where nobody can wait for it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from authsvc.audit import STRANGER, Actor, ActorKind, AuditEntry
from authsvc.denials import Denial, Denials, entry_of
from authsvc.store import Administration
from svckit.callers import LimitedCaller, UnknownCaller
from svckit.housekeeping import attempt
from svckit.status import wire_status

__all__ = ["Refusals", "noting"]

# While the database is away; the oldest go first. Ten seconds of refusals make some hundred.
UNWRITTEN_MAX = 1_000
PAUSE_S = 1.0
WRITE_TIMEOUT_S = 5.0


class Refusals:
    """`clock` gives monotonic seconds."""

    def __init__(self, administration: Administration, *, clock: Callable[[], float]) -> None:
        self._administration = administration
        self._clock = clock
        # Apart, or a flood of strangers would hide what a user or a service tries.
        self._strangers = Denials()
        self._known = Denials()
        # Of those who write at once only one needs a connection: they share one write lock.
        self._turn = asyncio.Lock()
        self._unwritten: deque[AuditEntry] = deque(maxlen=UNWRITTEN_MAX)
        self._is_due = asyncio.Event()

    async def note(self, denial: Denial) -> None:
        """Raises Unavailable when it cannot be written."""
        if entries := self._entries(denial):
            async with self._turn:
                await self._administration.note(entries)

    async def note_stranger(self, route: str, *, address: str) -> None:
        """Of someone who showed no good credential. Raises Unavailable."""
        await self.note(
            Denial(actor=STRANGER, organization_id=None, address=address, route=route, status=401)
        )

    def note_caller(self, peer: str, rpc: str, refused: UnknownCaller | LimitedCaller) -> None:
        """Of a program at the gate. It is written soon; see `write_soon`."""
        actor = STRANGER
        if isinstance(refused, LimitedCaller):
            actor = Actor(kind=ActorKind.SERVICE, id=refused.name)
        denial = Denial(
            actor=actor,
            organization_id=None,
            address=peer,
            route=f"rpc:{rpc}",
            status=wire_status(refused).http,
        )
        self._unwritten.extend(self._entries(denial))
        if self._unwritten:
            self._is_due.set()

    async def write_soon(self, report_bug: Callable[[BaseException], object]) -> None:
        """Run it in a task: writes what `note_caller` left, when the database is there."""
        while True:
            await self._is_due.wait()
            self._is_due.clear()
            entries = tuple(self._unwritten)
            self._unwritten.clear()
            write = partial(self._administration.note, entries)
            # What a bug keeps from being written is lost, or nothing after it would be written.
            if await attempt(write, timeout_s=WRITE_TIMEOUT_S, report_bug=report_bug):
                self._unwritten = deque((*entries, *self._unwritten), maxlen=UNWRITTEN_MAX)
                self._is_due.set()
                await asyncio.sleep(PAUSE_S)

    def _entries(self, denial: Denial) -> list[AuditEntry]:
        is_stranger = denial.actor.kind is ActorKind.STRANGER
        denials = self._strangers if is_stranger else self._known
        return [entry_of(kind, count) for kind, count in denials.note(denial, now=self._clock())]


@asynccontextmanager
async def noting(
    refusals: Refusals, *, report_bug: Callable[[BaseException], object]
) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(refusals.write_soon(report_bug), name="refusals-writer")
        try:
            yield
        finally:
            task.cancel()
