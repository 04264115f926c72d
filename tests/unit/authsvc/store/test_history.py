"""The page that tells the changes: everything since, or a gap, and never less than it says."""

from hypothesis import given
from hypothesis import strategies as st

from authsvc.changes import Change, ChangePage
from authsvc.store.history import CHANGES_MAX, HISTORY_MAX, FeedRead, page_of, rows_max

DATABASE_ID = "d"


def change(revision: int, organization_id: str = "o") -> Change:
    return Change(revision=revision, organization_id=organization_id)


def read(*newest: Change, revision: int, trimmed_to: int = 0) -> FeedRead:
    return FeedRead(
        database_id=DATABASE_ID, revision=revision, trimmed_to=trimmed_to, newest=newest
    )


def rows(*, first: int, last: int, each: int = 1) -> tuple[Change, ...]:
    """Newest first, `each` of every revision."""
    return tuple(
        change(revision, f"o{n}") for revision in range(last, first - 1, -1) for n in range(each)
    )


def test_nothing_new_is_an_empty_page_and_no_gap() -> None:
    page = page_of(read(revision=7), database_id=DATABASE_ID, after=7)

    assert page == ChangePage(database_id=DATABASE_ID, after=7, revision=7)


def test_changes_are_told_in_their_order() -> None:
    page = page_of(read(change(9), change(8), revision=9), database_id=DATABASE_ID, after=7)

    assert page.changes == (change(8), change(9))
    assert not page.is_gap


def test_another_database_is_a_gap_with_the_newest_history() -> None:
    found = read(change(3), change(2), change(1), revision=3)

    for asked in ("", "another"):
        assert page_of(found, database_id=asked, after=2) == ChangePage(
            database_id=DATABASE_ID,
            after=0,
            revision=3,
            changes=(change(1), change(2), change(3)),
            is_gap=True,
        )


def test_a_place_in_the_future_or_before_what_was_trimmed_is_a_gap() -> None:
    found = read(change(6), change(5), revision=6, trimmed_to=4)

    for after in (-1, 3, 7):
        page = page_of(found, database_id=DATABASE_ID, after=after)
        assert (page.is_gap, page.after, page.revision) == (True, 4, 6)


def test_the_place_that_was_trimmed_to_is_none_of_it() -> None:
    found = read(change(6), change(5), revision=6, trimmed_to=4)

    assert not page_of(found, database_id=DATABASE_ID, after=4).is_gap


def test_as_many_changes_as_may_be_are_told_and_one_more_is_a_gap() -> None:
    most = read(*rows(first=1, last=CHANGES_MAX), revision=CHANGES_MAX)
    more = read(*rows(first=1, last=CHANGES_MAX + 1), revision=CHANGES_MAX + 1)

    assert len(page_of(most, database_id=DATABASE_ID, after=0).changes) == CHANGES_MAX
    gap = page_of(more, database_id=DATABASE_ID, after=0)
    assert (gap.is_gap, len(gap.changes)) == (True, HISTORY_MAX)
    assert gap.after == gap.revision - HISTORY_MAX


def test_history_is_cut_between_revisions() -> None:
    found = read(*rows(first=1, last=200, each=7), revision=200)

    page = page_of(found, database_id="", after=0)

    assert len(page.changes) == HISTORY_MAX - HISTORY_MAX % 7
    assert page.after == 200 - HISTORY_MAX // 7


def test_of_one_revision_that_is_too_large_nothing_is_told() -> None:
    found = read(*rows(first=5, last=5, each=HISTORY_MAX + 1), revision=5)

    page = page_of(found, database_id="", after=0)

    assert page == ChangePage(database_id=DATABASE_ID, after=5, revision=5, is_gap=True)


def test_a_hole_in_the_log_is_a_gap_that_starts_behind_it() -> None:
    found = read(change(9), change(8), change(6), revision=9)

    page = page_of(found, database_id=DATABASE_ID, after=5)

    assert (page.is_gap, page.after) == (True, 7)
    assert page.changes == (change(8), change(9))


def test_a_log_that_ends_too_early_tells_nothing() -> None:
    page = page_of(read(change(7), revision=9), database_id=DATABASE_ID, after=6)

    assert page == ChangePage(database_id=DATABASE_ID, after=9, revision=9, is_gap=True)


def test_from_scratch_no_more_is_read_than_will_be_told() -> None:
    assert rows_max("") == HISTORY_MAX + 1
    assert rows_max(DATABASE_ID) == CHANGES_MAX + 1


@given(
    sizes=st.lists(st.integers(min_value=1, max_value=700), max_size=8),
    trimmed_to=st.integers(min_value=0, max_value=8),
    holes=st.sets(st.integers(min_value=1, max_value=8), max_size=2),
    after=st.integers(min_value=-1, max_value=10),
    database_id=st.sampled_from([DATABASE_ID, "", "another"]),
)
def test_a_page_has_every_change_between_its_ends_and_a_gap_is_said(
    sizes: list[int], trimmed_to: int, holes: set[int], after: int, database_id: str
) -> None:
    revision = len(sizes)
    trimmed_to = min(trimmed_to, revision)
    log = [
        change(number, f"o{n}")
        for number, size in enumerate(sizes, start=1)
        for n in range(size)
        if number > trimmed_to and number not in holes
    ]
    is_in_log = database_id == DATABASE_ID and trimmed_to <= after <= revision
    # As the statement in the database reads it.
    wanted = [each for each in reversed(log) if each.revision > (after if is_in_log else -1)]
    found = read(*wanted[: rows_max(database_id)], revision=revision, trimmed_to=trimmed_to)

    page = page_of(found, database_id=database_id, after=after)

    assert (page.database_id, page.revision) == (DATABASE_ID, revision)
    assert 0 <= page.after <= revision
    assert list(page.changes) == [each for each in log if each.revision > page.after]
    assert {each.revision for each in page.changes} == set(range(page.after + 1, revision + 1))
    if page.is_gap:
        assert len(page.changes) <= HISTORY_MAX
    else:
        assert is_in_log
        assert page.after == after
