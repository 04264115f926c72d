"""Which questions go together, on which lane, and who may still join one.

    boarded -> pending -> taken by a lane, with whatever else waits -> landed
    landed early, by `expire`, when its time is over; a batch that brings its answer comes too late
    back to pending, by `ask_again`, when the answer was of no use

There is no timer that makes a question wait for company: while all lanes are out, the next batch
fills. Flights are started, and so expire, in the order of their deadlines: all have the same time.
Seconds are the loop's. Pure.
"""

from collections import deque
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from catalogsvc.authz.model import Row

__all__ = ["Batch", "Batcher", "Flight", "Moment"]

W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Moment:
    """When questions were started, until when they may take, and in whose context they are asked.

    One for all that start in the same turn of the loop; the context is the first one's.
    """

    at: float
    deadline_at: float
    context: Context


class Flight(Generic[W]):
    """One question under way, and who waits for it."""

    __slots__ = ("asks", "is_landed", "moment", "others", "row", "waiter")

    def __init__(self, row: Row, waiter: W, moment: Moment) -> None:
        self.row = row
        self.waiter = waiter
        # Nearly always there is one only.
        self.others: list[W] | None = None
        self.moment = moment
        self.asks = 0
        self.is_landed = False


# Twice as many rows as cost what a batch costs in itself.
SHARE_MIN = 128

Batch: TypeAlias = list[Flight[W]]


class Batcher(Generic[W]):
    __slots__ = ("_flights", "_flights_max", "_joinable_s", "_lanes", "_out", "_pending",
                 "_rows_max", "under_way")  # fmt: skip

    def __init__(self, *, lanes: int, rows_max: int, flights_max: int, joinable_s: float) -> None:
        assert lanes >= 1, lanes
        assert rows_max >= 1, rows_max
        self._lanes = lanes
        self._rows_max = rows_max
        self._flights_max = flights_max
        self._joinable_s = joinable_s
        self._flights: dict[Row, Flight[W]] = {}
        self._pending: deque[Flight[W]] = deque()
        self._out: list[Batch[W]] = []
        self.under_way = 0

    @property
    def is_ready(self) -> bool:
        return len(self._out) < self._lanes and bool(self._pending)

    def board(self, row: Row, waiter: W, moment: Moment) -> float | None:
        """Joins the flight that this row is on, or starts one; until when it may take.

        None when too many are under way.
        """
        flight = self._flights.get(row)
        # The answer may have been computed as early as the start. Joining is a kind of cache hit,
        # and must not be staler than one; what is too old to join is replaced.
        if flight is not None and moment.at - flight.moment.at <= self._joinable_s:
            if flight.others is None:
                flight.others = [waiter]
            else:
                flight.others.append(waiter)
            return flight.moment.deadline_at
        if self.under_way >= self._flights_max:
            return None
        self.under_way += 1
        flight = self._flights[row] = Flight(row, waiter, moment)
        self._pending.append(flight)
        return moment.deadline_at

    def take(self) -> Batch[W] | None:
        """The oldest that wait, for a lane that is then theirs until `free`."""
        if not self.is_ready:
            return None
        pending, free = self._pending, self._lanes - len(self._out)
        # Shared among the free lanes where that leaves enough for each: so we make up the second
        # while the server answers the first.
        share = max(SHARE_MIN, -(-len(pending) // free))
        batch = [pending.popleft() for _ in range(min(len(pending), share, self._rows_max))]
        self._out.append(batch)
        return batch

    def free(self, batch: Batch[W]) -> None:
        self._out = [out for out in self._out if out is not batch]

    def land(self, flight: Flight[W]) -> bool:
        """Whether its waiters are to be told now; False when they were told before."""
        if flight.is_landed:
            return False
        flight.is_landed = True
        self.under_way -= 1
        joinable = self._flights.pop(flight.row, None)
        if joinable is not flight and joinable is not None:
            # A younger flight has taken the place of one that was too old to join.
            self._flights[flight.row] = joinable
        return True

    def ask_again(self, flights: Sequence[Flight[W]]) -> None:
        self._pending.extendleft(reversed(flights))

    def expire(self, now: float) -> list[Flight[W]]:
        """Lands those whose time is over; their waiters are to be told."""
        expired: list[Flight[W]] = []
        pending = self._pending
        while pending and pending[0].moment.deadline_at <= now:
            expired.append(pending.popleft())
        for batch in self._out:
            for flight in batch:
                if flight.moment.deadline_at > now:
                    break
                expired.append(flight)
        return [flight for flight in expired if self.land(flight)]

    def next_expiry(self) -> float | None:
        """When `expire` should be called next; None while nothing is under way."""
        oldest = [self._pending[0].moment.deadline_at] if self._pending else []
        for batch in self._out:
            oldest += [flight.moment.deadline_at for flight in batch if not flight.is_landed][:1]
        return min(oldest, default=None)

    def land_all(self) -> list[Flight[W]]:
        """For the end: nothing is pending after it."""
        flights = [*self._pending, *(flight for batch in self._out for flight in batch)]
        self._pending.clear()
        return [flight for flight in flights if self.land(flight)]
