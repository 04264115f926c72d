"""When something last changed, and what is said of what was forgotten."""

from svckit.last_changes import LastChanges


def test_what_was_noted_is_told() -> None:
    last = LastChanges(keys_max=10)

    last.note("a", 3)
    last.note("b", 4)
    last.note("a", 5)

    assert (last.at("a"), last.at("b"), last.at("c")) == (5, 4, 0)


def test_what_fell_off_the_end_counts_as_changed_then() -> None:
    last = LastChanges(keys_max=2)

    for revision, key in enumerate("abc", start=1):
        last.note(key, revision)

    assert (last.at("a"), last.at("b"), last.at("c"), last.at("never")) == (1, 2, 3, 1)


def test_old_news_changes_nothing() -> None:
    last = LastChanges(keys_max=2)
    last.note("a", 5)

    last.note("a", 4)

    assert last.at("a") == 5


def test_a_reset_forgets_all_but_the_floor() -> None:
    last = LastChanges(keys_max=2)
    last.note("a", 5)

    last.reset(7)
    last.note("b", 7)

    assert (last.at("a"), last.at("b")) == (7, 7)
