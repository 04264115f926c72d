"""Who waits for a question's outcome: one caller for one, or one caller for a whole set."""

import asyncio
from dataclasses import dataclass
from typing import TypeAlias

from catalogsvc.authz.batcher import Flight
from catalogsvc.authz.freshness import FOREVER
from catalogsvc.authz.model import Decision, Row

__all__ = ["Failed", "Outcome", "Told", "Group", "Waiter", "tell"]


@dataclass(frozen=True, slots=True)
class Failed:
    """No decision. `is_expired`: for want of time only, so who has more may ask again."""

    error: Exception
    is_expired: bool = False


Outcome: TypeAlias = Decision | Failed
# And until when a yes may be told, on the lease's clock: whoever waits may be woken late.
Told: TypeAlias = tuple[Outcome, float]


class Group:
    """One future for many rows: it is done when all of them have their outcome."""

    __slots__ = ("done", "good_until", "left", "outcomes")

    done: "asyncio.Future[None]"

    def __init__(self) -> None:
        self.left = 0
        self.outcomes: dict[Row, Outcome] = {}
        # On the lease's clock: the first of its yeses is too old to be told then.
        self.good_until = FOREVER

    def take(self, row: Row, outcome: Outcome, good_until: float) -> None:
        self.outcomes[row] = outcome
        if good_until < self.good_until:
            self.good_until = good_until
        self.left -= 1
        if not self.left and not self.done.done():
            self.done.set_result(None)


# A bare future for each: it can be cancelled without harm to any other.
Waiter: TypeAlias = "asyncio.Future[Told] | Group"


def tell(flight: Flight[Waiter], outcome: Outcome, good_until: float = FOREVER) -> None:
    waiter = flight.waiter
    # As `_tell`, without the call: nearly always there is one waiter only, and it is still there.
    if isinstance(waiter, Group):
        waiter.take(flight.row, outcome, good_until)
    elif not waiter.done():
        waiter.set_result((outcome, good_until))
    if flight.others is not None:
        for waiter in flight.others:
            _tell(waiter, flight.row, outcome, good_until)


def _tell(waiter: Waiter, row: Row, outcome: Outcome, good_until: float) -> None:
    if isinstance(waiter, Group):
        waiter.take(row, outcome, good_until)
    elif not waiter.done():
        waiter.set_result((outcome, good_until))
