"""The newest changes in memory."""

from authsvc.change_log import HISTORY_MAX, ChangeLog
from authsvc.changes import Change, ChangePage


def change(revision: int, user_id: str | None = None) -> Change:
    return Change(revision=revision, organization_id="o", user_id=user_id)


def started(*, after: int = 0, revision: int = 0, rows_max: int = 10_000) -> ChangeLog:
    log = ChangeLog(rows_max=rows_max)
    log.start(ChangePage(database_id="d", after=after, revision=revision))
    return log


def test_what_follows_a_revision_is_told_in_its_order() -> None:
    log = started()
    log.extend([change(1), change(2), change(2, "u"), change(3)], 4)

    page = log.since("d", 1, rows_max=10)

    assert page == ChangePage(
        database_id="d", after=1, revision=4, changes=(change(2), change(2, "u"), change(3))
    )


def test_a_part_ends_between_two_revisions() -> None:
    log = started()
    log.extend([change(1), change(2), change(2, "u"), change(3)], 3)

    first = log.since("d", 0, rows_max=2)
    second = log.since("d", first.revision, rows_max=2)
    third = log.since("d", second.revision, rows_max=2)

    assert (first.revision, first.changes) == (1, (change(1),))
    assert (second.revision, second.changes) == (2, (change(2), change(2, "u")))
    assert (third.revision, third.changes) == (3, (change(3),))


def test_a_revision_larger_than_a_part_is_told_whole() -> None:
    log = started()
    log.extend([change(1), change(1, "a"), change(1, "b"), change(2)], 2)

    page = log.since("d", 0, rows_max=2)

    assert (page.revision, len(page.changes)) == (1, 3)


def test_what_cannot_be_told_is_a_gap_with_the_history_that_is_left() -> None:
    log = started(after=5, revision=5)
    log.extend([change(6)], 6)

    for database_id, after in (("other", 6), ("", 0), ("d", 4), ("d", 7)):
        page = log.since(database_id, after, rows_max=10)
        assert page == ChangePage(
            database_id="d", after=5, revision=6, changes=(change(6),), is_gap=True
        )


def test_the_history_behind_a_gap_is_bounded() -> None:
    log = started()
    log.extend([change(n) for n in range(1, HISTORY_MAX + 3)], HISTORY_MAX + 2)

    page = log.since("", 0, rows_max=10 * HISTORY_MAX)

    assert (page.after, len(page.changes)) == (2, HISTORY_MAX)


def test_old_revisions_fall_out_whole() -> None:
    log = started(rows_max=2)
    log.extend([change(1), change(1, "u"), change(2)], 2)

    assert log.since("d", 0, rows_max=10).is_gap
    assert log.since("d", 1, rows_max=10).changes == (change(2),)


def test_another_database_starts_a_new_log() -> None:
    log = started()
    log.extend([change(1)], 1)
    log.start(ChangePage(database_id="e", after=7, revision=8, changes=(change(8),)))

    assert (log.database_id, log.revision) == ("e", 8)
    assert log.since("d", 1, rows_max=10).is_gap
    assert log.since("e", 7, rows_max=10).changes == (change(8),)
