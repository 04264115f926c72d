"""The law of the batcher: each waiter is told once, within the bounds, whatever happens between."""

from contextvars import copy_context

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from catalogsvc.authz.batcher import Batch, Batcher, Flight, Moment
from catalogsvc.authz.model import Row

LANES, ROWS_MAX, FLIGHTS_MAX, TIMEOUT_S, JOINABLE_S = 2, 3, 6, 5.0, 2.0
CONTEXT = copy_context()
rows = st.integers(0, 8).map(lambda number: (f"u{number}", "o", "l"))


class BatcherLaw(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.batcher: Batcher[int] = Batcher(
            lanes=LANES, rows_max=ROWS_MAX, flights_max=FLIGHTS_MAX, joinable_s=JOINABLE_S
        )
        self.out: list[Batch[int]] = []
        # By number: the row it asks, when it must have been told, and if it was.
        self.rows: list[Row] = []
        self.due_at: list[float] = []
        self.told: list[bool] = []

    @rule(row=rows)
    def a_question_comes(self, row: Row) -> None:
        waiter = len(self.rows)
        moment = Moment(self.now, self.now + TIMEOUT_S, CONTEXT)
        expires_at = self.batcher.board(row, waiter, moment)
        if expires_at is None:
            assert self.batcher.under_way == FLIGHTS_MAX
            return
        assert expires_at - TIMEOUT_S >= self.now - JOINABLE_S
        self.rows.append(row)
        self.due_at.append(expires_at)
        self.told.append(False)

    @rule()
    def a_lane_takes_a_batch(self) -> None:
        batch = self.batcher.take()
        if batch is not None:
            assert 1 <= len(batch) <= ROWS_MAX
            self.out.append(batch)
        else:
            assert len(self.out) == LANES or not self.batcher.is_ready

    @precondition(lambda self: self.out)
    @rule(data=st.data(), is_useless=st.booleans())
    def a_batch_comes_back(self, data: st.DataObject, is_useless: bool) -> None:
        batch = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        if is_useless:
            self.batcher.ask_again([flight for flight in batch if not flight.is_landed])
        else:
            self._land(batch)
        self.batcher.free(batch)

    @rule(span_s=st.sampled_from([0.1, 1.0, 3.0]))
    def time_passes(self, span_s: float) -> None:
        self.now += span_s
        # What was asked again may be behind something younger, so once is not always enough.
        while (at := self.batcher.next_expiry()) is not None and at <= self.now:
            for flight in self.batcher.expire(self.now):
                self._tell(flight)

    def _land(self, batch: Batch[int]) -> None:
        for flight in batch:
            if self.batcher.land(flight):
                self._tell(flight)

    def _tell(self, flight: Flight[int]) -> None:
        for waiter in (flight.waiter, *(flight.others or ())):
            assert not self.told[waiter], "told twice"
            assert self.rows[waiter] == flight.row, "told what another one asked"
            self.told[waiter] = True

    @invariant()
    def lanes_and_flights_are_bounded(self) -> None:
        assert len(self.out) <= LANES
        assert 0 <= self.batcher.under_way <= FLIGHTS_MAX

    def teardown(self) -> None:
        for flight in self.batcher.land_all():
            self._tell(flight)
        assert all(self.told), "never told"
        assert self.batcher.under_way == 0


TestBatcherLaw = BatcherLaw.TestCase
