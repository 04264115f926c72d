"""What is known of the changes in Auth's store: which pages fit, and how long the lease is."""

from typing import Any

import pytest

from catalogsvc.authz.feed import Change, Page, Position
from catalogsvc.authz.freshness import FOREVER, Freshness, Misfit, Place
from catalogsvc.authz.transport import AsOf

STALENESS_S = 2.0
DATABASE = "db"


def page(after: int, revision: int, *changes: Change, **values: Any) -> Page:
    return Page(
        **{
            "tick": 0,
            "database_id": DATABASE,
            "after": after,
            "revision": revision,
            "changes": changes,
            **values,
        }
    )


def as_of(revision: int, *, database_id: str = DATABASE, age_s: float = 0.0) -> AsOf:
    return AsOf(database_id=database_id, revision=revision, age_s=age_s)


@pytest.fixture
def freshness() -> Freshness:
    """Knows everything from revision 10 on."""
    known = Freshness(max_staleness_s=STALENESS_S)
    assert known.apply(page(10, 10, is_reset=True))
    return known


def test_at_first_nothing_is_known_and_nothing_is_kept() -> None:
    freshness = Freshness(max_staleness_s=STALENESS_S)

    assert freshness.position == Position()
    assert not freshness.is_leased(0.0)
    assert not freshness.may_keep("o", as_of(7), freshness.send(0.0))
    assert not freshness.may_keep("o", as_of(0, database_id=""), freshness.send(0.0))


def test_the_lease_is_counted_from_when_the_tick_was_sent(freshness: Freshness) -> None:
    tick = freshness.make_tick(100.0)

    freshness.apply(page(10, 10, tick=tick))  # however late it comes

    assert freshness.is_leased(101.9)
    assert not freshness.is_leased(102.0)


def test_a_page_without_a_tick_extends_no_lease(freshness: Freshness) -> None:
    freshness.make_tick(100.0)

    freshness.apply(page(10, 11))

    assert not freshness.is_leased(100.0)


def test_an_older_tick_shortens_no_lease(freshness: Freshness) -> None:
    first, second = freshness.make_tick(100.0), freshness.make_tick(100.5)
    freshness.apply(page(10, 10, tick=second))

    with pytest.raises(Misfit):
        freshness.apply(page(10, 10, tick=first))
    freshness.apply(page(10, 10, tick=second))

    assert freshness.is_leased(102.4)


@pytest.mark.parametrize("tick", [1, 99_000_000_000, 10**15])
def test_a_tick_that_was_not_sent_is_refused(freshness: Freshness, tick: int) -> None:
    freshness.make_tick(100.0)

    with pytest.raises(Misfit, match="tick"):
        freshness.apply(page(10, 10, tick=tick))

    assert not freshness.is_leased(100.0)


def test_a_tick_of_another_connection_is_refused(freshness: Freshness) -> None:
    tick = freshness.make_tick(100.0)
    freshness.connect()

    with pytest.raises(Misfit, match="tick"):
        freshness.apply(page(10, 10, tick=tick))


def test_a_clock_that_stands_at_zero_makes_ticks_too(freshness: Freshness) -> None:
    assert freshness.make_tick(0.0) == 1


@pytest.mark.parametrize(
    "misfit",
    [
        page(11, 12),
        page(8, 9),
        page(10, 9),
        page(10, 12, database_id="other"),
        page(10, 12, database_id=""),
        page(10, 12, Change(13, "o")),
        page(10, 12, Change(10, "o")),
    ],
    ids=["gap", "back", "upside down", "other database", "no database", "beyond", "before"],
)
def test_a_page_that_does_not_fit_is_refused_and_changes_nothing(
    freshness: Freshness, misfit: Page
) -> None:
    with pytest.raises(Misfit):
        freshness.apply(misfit)

    assert freshness.position == Position(database_id=DATABASE, revision=10)
    assert freshness.changed_at == 10
    assert freshness.may_keep("o", as_of(10), freshness.send(0.0))


def test_a_page_that_comes_twice_or_overlaps_is_harmless(freshness: Freshness) -> None:
    once = page(10, 12, Change(12, "o", "u"))
    freshness.apply(once)
    freshness.apply(once)
    freshness.apply(page(10, 13, Change(12, "o", "u"), Change(13, "other")))

    assert freshness.position.revision == 13
    assert not freshness.is_touched(("o", "u", "l"), since=12)


def test_an_answer_from_before_a_change_of_its_organization_is_not_kept(
    freshness: Freshness,
) -> None:
    sent = freshness.send(0.0)
    freshness.apply(page(10, 12, Change(11, "o", "u")))

    assert not freshness.may_keep("o", as_of(10), sent)
    assert freshness.may_keep("o", as_of(11), sent)
    assert freshness.may_keep("other", as_of(10), sent)


def test_all_are_kept_at_once_only_when_nothing_has_changed_since(freshness: Freshness) -> None:
    freshness.apply(page(10, 12, Change(11, "o")))
    sent = freshness.send(0.0)

    assert freshness.may_keep_any(as_of(11), sent)
    assert not freshness.may_keep_any(as_of(10), sent)


def test_an_answer_that_was_asked_for_before_a_reset_is_not_kept(freshness: Freshness) -> None:
    sent = freshness.send(0.0)
    freshness.apply(page(10, 10, is_reset=True))

    assert not freshness.may_keep("o", as_of(20), sent)
    assert freshness.may_keep("o", as_of(20), freshness.send(0.0))


def test_an_answer_of_another_database_or_of_none_is_not_kept(freshness: Freshness) -> None:
    sent = freshness.send(0.0)

    assert not freshness.may_keep("o", as_of(20, database_id="other"), sent)
    assert not freshness.may_keep("o", as_of(0), sent)


def test_a_reset_forgets_everything_and_the_lease_too(freshness: Freshness) -> None:
    freshness.apply(page(10, 12, Change(12, "o"), tick=freshness.make_tick(100.0)))

    is_to_be_forgotten = freshness.apply(
        page(4, 6, Change(5, "o"), is_reset=True, database_id="restored")
    )

    assert is_to_be_forgotten
    assert freshness.position == Position(database_id="restored", revision=6)
    assert not freshness.is_leased(100.0)
    sent = freshness.send(0.0)
    assert not freshness.may_keep("o", as_of(4, database_id="restored"), sent)
    assert freshness.may_keep("o", as_of(5, database_id="restored"), sent)
    assert not freshness.may_keep("other", as_of(3, database_id="restored"), sent)
    assert freshness.may_keep("other", as_of(4, database_id="restored"), sent)


def test_a_reset_that_answers_a_tick_begins_a_lease(freshness: Freshness) -> None:
    freshness.apply(page(4, 6, is_reset=True, tick=freshness.make_tick(100.0)))

    assert freshness.is_leased(100.0)


@pytest.mark.parametrize(
    ("change", "place", "is_touched"),
    [
        (Change(11, "o", "u", "l"), ("o", "u", "l"), True),
        (Change(11, "o", "u", "l"), ("o", "u", "other"), False),
        (Change(11, "o", "u", "l"), ("o", "other", "l"), False),
        (Change(11, "o", "u", "l"), ("o", "u", None), False),
        (Change(11, "o", "u"), ("o", "u", "l"), True),
        (Change(11, "o", "u"), ("o", "u", None), True),
        (Change(11, "o", "u"), ("o", "other", "l"), False),
        (Change(11, "o", None, "l"), ("o", "u", "l"), True),
        (Change(11, "o", None, "l"), ("o", "u", "other"), False),
        (Change(11, "o", None, "l"), ("o", "u", None), False),
        (Change(11, "o"), ("o", "u", "l"), True),
        (Change(11, "o"), ("o", "u", None), True),
        (Change(11, "o"), ("other", "u", "l"), False),
    ],
)
def test_a_change_touches_what_depends_on_it_and_nothing_else(
    freshness: Freshness, change: Change, place: Place, is_touched: bool
) -> None:
    freshness.apply(page(10, 11, change))

    assert freshness.is_touched(place, since=10) is is_touched
    assert not freshness.is_touched(place, since=11)


def test_a_yes_may_be_told_while_it_is_young(freshness: Freshness) -> None:
    old, sent = as_of(7, age_s=0.5), freshness.send(100.0)

    assert freshness.young_until(old, sent) == 101.5
    assert freshness.good_until("o", old, sent) == 101.5


def test_an_older_yes_may_be_told_under_a_lease_if_it_might_be_kept(freshness: Freshness) -> None:
    sent = freshness.send(100.0)
    freshness.apply(page(10, 12, Change(12, "o"), tick=freshness.make_tick(102.0)))

    assert freshness.good_until("o", as_of(12), sent) == 104.0
    assert freshness.good_until("o", as_of(11), sent) == 102.0


def test_without_a_bound_any_yes_may_be_told() -> None:
    freshness = Freshness(max_staleness_s=0)

    assert freshness.young_until(as_of(7, age_s=99.0), freshness.send(0.0)) == FOREVER
