"""Up to which revision this process knows the database, and since when."""

from authsvc.changes import Change, ChangePage
from authsvc.freshness import LEASE_S, Freshness, Learned

FIRST = ChangePage(database_id="d", after=3, revision=5, is_gap=True)


def page(after: int, revision: int, *changed: int, database_id: str = "d") -> ChangePage:
    changes = tuple(Change(revision=n, organization_id="o") for n in changed)
    return ChangePage(database_id=database_id, after=after, revision=revision, changes=changes)


def started() -> Freshness:
    """Knows d up to revision 5, as of 100."""
    freshness = Freshness()
    freshness.advance(FIRST, asked_at=freshness.position(), read_started_at=100.0)
    return freshness


def advance(freshness: Freshness, told: ChangePage, *, at: float = 100.0) -> Learned | None:
    return freshness.advance(told, asked_at=freshness.position(), read_started_at=at)


def test_nothing_is_known_and_no_lease_held_before_the_first_page() -> None:
    freshness = Freshness()

    assert not freshness.is_leased(0.0)
    assert (freshness.database_id, freshness.revision) == ("", 0)


def test_a_lease_runs_from_the_start_of_its_read() -> None:
    freshness = started()

    assert freshness.is_leased(100.0 + LEASE_S - 0.001)
    assert not freshness.is_leased(100.0 + LEASE_S)
    assert freshness.age_s(100.25) == 0.25
    assert freshness.age_s(99.0) == 0.0


def test_the_first_page_resets() -> None:
    freshness = Freshness()

    assert advance(freshness, FIRST) == Learned(is_reset=True)
    assert freshness.revision == 5
    assert freshness.last_change("o") == 3


def test_changes_are_learned_once_however_often_they_are_told() -> None:
    freshness = started()

    assert advance(freshness, page(5, 7, 6, 7)) == Learned(changes=page(5, 7, 6, 7).changes)
    assert advance(freshness, page(5, 7, 6, 7)) == Learned()
    assert advance(freshness, page(6, 8, 7, 8)) == Learned(changes=page(7, 8, 8).changes)
    assert (freshness.revision, freshness.last_change("o")) == (8, 8)


def test_a_late_page_takes_nothing_back() -> None:
    freshness = started()
    advance(freshness, page(5, 7, 6), at=101.0)

    advance(freshness, page(5, 6, 6), at=100.5)

    assert freshness.revision == 7
    assert freshness.age_s(101.0) == 0.0


def test_a_page_with_something_missing_before_it_is_not_believed() -> None:
    freshness = started()

    assert advance(freshness, page(6, 9, 7), at=105.0) is None
    assert freshness.revision == 5
    assert not freshness.is_leased(105.0)


def test_another_database_and_one_that_went_back_reset() -> None:
    for told in (
        page(0, 9, 9, database_id="e"),
        ChangePage(database_id="d", after=0, revision=2, is_gap=True),
    ):
        freshness = started()
        learned = advance(freshness, told)
        assert learned is not None
        assert learned.is_reset
        assert freshness.revision == told.revision


def test_what_was_asked_before_a_reset_is_old_news_after_it() -> None:
    freshness = started()
    before = freshness.position()
    advance(freshness, ChangePage(database_id="d", after=0, revision=2, is_gap=True))

    learned = freshness.advance(page(5, 6, 6), asked_at=before, read_started_at=200.0)

    assert learned is None
    assert not freshness.is_leased(200.0)
