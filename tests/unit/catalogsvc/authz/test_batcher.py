"""Which questions go together, and what becomes of those whose time is over."""

from contextvars import copy_context

import pytest

from catalogsvc.authz.batcher import SHARE_MIN, Batcher, Moment
from catalogsvc.authz.model import Row

TIMEOUT_S = 5.0


def row(number: int) -> Row:
    return (f"u{number}", "o", "l")


def at(now: float) -> Moment:
    return Moment(now, now + TIMEOUT_S, copy_context())


def make(*, lanes: int = 1, rows_max: int = 2, flights_max: int = 100) -> Batcher[str]:
    return Batcher(lanes=lanes, rows_max=rows_max, flights_max=flights_max, joinable_s=2.0)


def rows_of(batcher: Batcher[str]) -> list[Row]:
    batch = batcher.take()
    return [] if batch is None else [flight.row for flight in batch]


def test_what_waits_goes_together_as_far_as_there_is_room() -> None:
    batcher = make(lanes=9)
    for number in range(5):
        batcher.board(row(number), "w", at(1.0))

    batches = [rows_of(batcher) for _ in range(4)]

    assert batches == [[row(0), row(1)], [row(2), row(3)], [row(4)], []]


def test_while_all_lanes_are_out_the_next_batch_fills() -> None:
    batcher = make(lanes=1)
    batcher.board(row(0), "w", at(1.0))
    first = batcher.take()
    assert first is not None
    batcher.board(row(1), "w", at(1.0))
    batcher.board(row(2), "w", at(1.0))
    assert batcher.take() is None

    batcher.free(first)

    assert rows_of(batcher) == [row(1), row(2)]


def test_the_same_question_is_on_one_flight_until_it_lands() -> None:
    batcher = make()
    for waiter in ("first", "second", "third"):
        assert batcher.board(row(0), waiter, at(1.0)) == 1.0 + TIMEOUT_S
    [flight] = batcher.take() or []

    assert (flight.waiter, flight.others) == ("first", ["second", "third"])
    assert batcher.land(flight)
    assert not batcher.land(flight)
    assert batcher.under_way == 0
    batcher.board(row(0), "fourth", at(1.0))
    assert batcher.under_way == 1


def test_a_flight_that_is_too_old_is_replaced_and_both_land() -> None:
    batcher = make(lanes=2)
    batcher.board(row(0), "old", at(1.0))
    [old] = batcher.take() or []

    assert batcher.board(row(0), "joiner", at(3.0)) == 1.0 + TIMEOUT_S
    assert batcher.board(row(0), "newcomer", at(3.1)) == 3.1 + TIMEOUT_S
    batcher.land(old)
    batcher.board(row(0), "companion", at(3.2))
    [young] = batcher.take() or []

    assert old.others == ["joiner"]
    assert (young.waiter, young.others) == ("newcomer", ["companion"])


def test_too_many_under_way_are_refused_but_may_join() -> None:
    batcher = make(flights_max=1)
    batcher.board(row(0), "w", at(1.0))

    assert batcher.board(row(1), "w", at(1.0)) is None
    assert batcher.board(row(0), "w", at(1.0)) is not None


def test_what_is_over_lands_wherever_it_is() -> None:
    batcher = make(lanes=1, rows_max=2)
    for number, now in enumerate((1.0, 2.0, 3.0, 4.0)):
        batcher.board(row(number), "w", at(now))
    batch = batcher.take()
    assert batch is not None
    assert batcher.next_expiry() == 1.0 + TIMEOUT_S

    expired = batcher.expire(3.0 + TIMEOUT_S)

    assert {flight.row for flight in expired} == {row(0), row(1), row(2)}
    assert not batcher.land(batch[0])
    assert batcher.next_expiry() == 4.0 + TIMEOUT_S
    batcher.free(batch)
    assert rows_of(batcher) == [row(3)]


def test_nothing_expires_when_nothing_is_under_way() -> None:
    batcher = make()

    assert batcher.next_expiry() is None
    assert batcher.expire(99.0) == []


def test_what_is_asked_again_goes_before_the_others() -> None:
    batcher = make(lanes=1, rows_max=3)
    batcher.board(row(0), "w", at(1.0))
    batcher.board(row(1), "w", at(1.0))
    batch = batcher.take()
    assert batch is not None
    batcher.board(row(2), "w", at(1.0))

    batcher.ask_again(batch)
    batcher.free(batch)

    assert rows_of(batcher) == [row(0), row(1), row(2)]


def test_at_the_end_all_land() -> None:
    batcher = make(rows_max=1)
    batcher.board(row(0), "w", at(1.0))
    batcher.board(row(1), "w", at(1.0))
    batcher.take()

    assert {flight.row for flight in batcher.land_all()} == {row(0), row(1)}
    assert batcher.under_way == 0
    assert batcher.next_expiry() is None


@pytest.mark.parametrize(
    ("waiting", "sizes"),
    [
        (SHARE_MIN, [SHARE_MIN]),
        (SHARE_MIN + 1, [SHARE_MIN, 1]),
        (4 * SHARE_MIN, [2 * SHARE_MIN, 2 * SHARE_MIN]),
    ],
)
def test_many_that_wait_are_shared_among_the_free_lanes(waiting: int, sizes: list[int]) -> None:
    batcher = make(lanes=2, rows_max=1_000, flights_max=1_000)
    for number in range(waiting):
        batcher.board(row(number), "w", at(1.0))

    batches = iter(batcher.take, None)

    assert [len(batch) for batch in batches] == sizes


@pytest.mark.parametrize("values", [{"lanes": 0}, {"rows_max": 0}])
def test_an_impossible_batcher_is_not_made(values: dict[str, int]) -> None:
    with pytest.raises(AssertionError):
        make(**values)
