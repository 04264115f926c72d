"""What is kept, how long, and what a change drops of it."""

import pytest

from catalogsvc.authz.entries import Entries
from catalogsvc.authz.feed import Change, Page
from catalogsvc.authz.freshness import Freshness, Place

Key = tuple[str, str, str]
KEY: Key = ("u", "o", "l")
NOW = 100.0


def place_of(key: Key, _: str) -> Place:
    return key[1], key[0], key[2]


@pytest.fixture
def freshness() -> Freshness:
    freshness = Freshness(max_staleness_s=2.0)
    tell(freshness, is_reset=True)
    return freshness


def tell(freshness: Freshness, *changes: Change, is_reset: bool = False) -> None:
    """All changes up to the last of these, as of NOW."""
    known = freshness.position.revision
    freshness.apply(
        Page(
            tick=freshness.make_tick(NOW),
            database_id="db",
            after=known,
            revision=changes[-1].revision if changes else known,
            changes=changes,
            is_reset=is_reset,
        )
    )


def make(freshness: Freshness, entries_max: int = 3) -> Entries[Key, str]:
    return Entries(freshness, place_of=place_of, entries_max=entries_max)


def test_what_was_put_is_found_until_its_time_is_over(freshness: Freshness) -> None:
    entries = make(freshness)
    entries.put(KEY, "value", revision=1, until=NOW + 1)

    assert entries.find(KEY, now=NOW) == "value"
    assert entries.find(KEY, now=NOW + 1) is None
    assert len(entries) == 0


def test_what_was_never_put_is_not_found(freshness: Freshness) -> None:
    assert make(freshness).find(KEY, now=NOW) is None


def test_without_the_lease_nothing_is_found_and_nothing_is_lost(freshness: Freshness) -> None:
    entries = make(freshness)
    entries.put(KEY, "value", revision=1, until=NOW + 60)

    assert entries.find(KEY, now=NOW + 2) is None
    assert entries.find(KEY, now=NOW) == "value"


def test_a_change_drops_what_depends_on_it(freshness: Freshness) -> None:
    entries = make(freshness)
    entries.put(KEY, "value", revision=1, until=NOW + 60)

    tell(freshness, Change(2, "o", "u"))

    assert entries.find(KEY, now=NOW) is None
    assert (len(entries), entries.dropped) == (0, 1)


def test_a_change_of_something_else_drops_nothing(freshness: Freshness) -> None:
    entries = make(freshness)
    entries.put(KEY, "value", revision=1, until=NOW + 60)

    tell(freshness, Change(2, "o", "other"), Change(3, "other"))

    assert entries.find(KEY, now=NOW) == "value"
    assert entries.find(KEY, now=NOW) == "value"
    assert entries.dropped == 0


def test_what_is_found_right_is_right_up_to_the_newest_change(freshness: Freshness) -> None:
    entries = make(freshness)
    entries.put(KEY, "value", revision=1, until=NOW + 60)
    tell(freshness, Change(2, "o", "other"))
    entries.find(KEY, now=NOW)

    assert entries.by_key[KEY] == (NOW + 60, 2, "value")


def test_a_change_that_the_answer_has_in_it_drops_nothing(freshness: Freshness) -> None:
    entries = make(freshness)
    entries.put(KEY, "value", revision=2, until=NOW + 60)

    tell(freshness, Change(2, "o", "u", "l"))

    assert entries.find(KEY, now=NOW) == "value"


def test_the_least_recently_used_leaves_first(freshness: Freshness) -> None:
    entries = make(freshness, entries_max=2)
    first, second, third = ((f"u{number}", "o", "l") for number in range(3))
    entries.put(first, "1", revision=1, until=NOW + 60)
    entries.put(second, "2", revision=1, until=NOW + 60)
    entries.find(first, now=NOW)

    entries.put(third, "3", revision=1, until=NOW + 60)

    assert [entries.find(key, now=NOW) for key in (first, second, third)] == ["1", None, "3"]


def test_what_is_put_again_takes_no_more_room_and_counts_as_used(freshness: Freshness) -> None:
    entries = make(freshness, entries_max=2)
    first, second, third = ((f"u{number}", "o", "l") for number in range(3))
    for key in (first, second, first, third):
        entries.put(key, key[0], revision=1, until=NOW + 60)

    assert list(entries.by_key) == [first, third]


def test_what_is_discarded_or_cleared_is_gone(freshness: Freshness) -> None:
    entries = make(freshness)
    entries.put(KEY, "value", revision=1, until=NOW + 60)

    assert entries.discard(KEY)
    assert not entries.discard(KEY)
    entries.put(KEY, "value", revision=1, until=NOW + 60)
    entries.clear()

    assert len(entries) == 0
    assert entries.dropped == 1
