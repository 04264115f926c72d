"""What a write touches, and how many rows that takes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authsvc.edits import Edit
from authsvc.model import Entity, Local, Organization, Role, User
from authsvc.store.touches import TOUCHES_MAX, Touch, fold, touch_of


@pytest.mark.parametrize(
    ("entity", "touch"),
    [
        (Organization(id="o", name="O"), Touch("o")),
        (Local(id="l", organization_id="o", name="L"), Touch("o", None, "l")),
        (Role(id="r", organization_id="o", name="R"), Touch("o")),
        (User(id="u", organization_id="o", email="u@o"), Touch("o", "u", None)),
    ],
)
def test_each_entity_touches_what_depends_on_it(entity: Entity, touch: Touch) -> None:
    assert touch_of(Edit(before=None, after=entity)) == touch


def test_a_user_who_gains_or_loses_one_local_and_nothing_else_is_touched_there_alone() -> None:
    before = User(id="u", organization_id="o", email="u@o", locals=frozenset({"l"}))
    nowhere = replace(before, locals=frozenset())

    assert touch_of(Edit(before=before, after=nowhere)) == Touch("o", "u", "l")
    assert touch_of(Edit(before=nowhere, after=before)) == Touch("o", "u", "l")
    elsewhere = (replace(before, locals=frozenset({"m"})), replace(nowhere, email="v@o"))
    for after in elsewhere:
        assert touch_of(Edit(before=before, after=after)) == Touch("o", "u")


def test_one_touch_too_many_and_the_organization_is_named_instead() -> None:
    users = [Touch("o", f"u{i}") for i in range(TOUCHES_MAX + 1)]
    other = Touch("p", "u")

    assert fold(users[:-1]) == tuple(users[:-1])
    assert fold([*users, other]) == (Touch("o"), other)


def test_an_organization_that_is_touched_as_a_whole_is_named_once() -> None:
    assert fold([Touch("o", "u"), Touch("o"), Touch("o"), Touch("p")]) == (Touch("o"), Touch("p"))


ids = st.sampled_from("abc")
touches = st.builds(Touch, ids, st.none() | ids, st.none() | ids)


@given(st.lists(touches))
def test_folding_loses_nothing_and_says_nothing_twice(given_touches: list[Touch]) -> None:
    folded = fold(given_touches)

    assert len(set(folded)) == len(folded)
    for touch in given_touches:
        assert touch in folded or Touch(touch.organization_id) in folded
    for touch in folded:
        assert touch in given_touches
