"""The known records are a part of what was put, within the bound, whatever is dropped between."""

from hypothesis import given
from hypothesis import strategies as st

from authsvc.access import UserRecord
from authsvc.changes import Change
from authsvc.records import ABSENT, Records

IDS = [f"u{i}" for i in range(6)]
ids = st.sampled_from(IDS)
users = st.builds(
    UserRecord,
    organization_id=st.sampled_from(["o1", "o2"]),
    is_active=st.booleans(),
    locals=st.frozensets(st.sampled_from("abcd")),
    permissions=st.just(()),
)
puts = st.tuples(ids, st.none() | users)
drops = st.builds(
    Change,
    revision=st.just(1),
    organization_id=st.sampled_from(["o1", "o2"]),
    user_id=st.none() | ids,
)
finds = st.lists(ids)


def is_touched(user_id: str, user: UserRecord | None, change: Change) -> bool:
    if change.user_id is not None:
        return user_id == change.user_id
    return user is None or user.organization_id == change.organization_id


@given(st.integers(2, 20), st.lists(puts | drops | finds))
def test_what_is_found_is_what_was_put_last_and_not_touched_since(
    weight_max: int, steps: list[tuple[str, UserRecord | None] | Change | list[str]]
) -> None:
    records = Records(weight_max=weight_max)
    model: dict[str, UserRecord | None] = {}
    for step in steps:
        if isinstance(step, Change):
            records.drop([step])
            model = {i: user for i, user in model.items() if not is_touched(i, user, step)}
        elif isinstance(step, tuple):
            model[step[0]] = step[1]
            records.put_user(*step)
        else:
            records.users(step)
        found = dict(zip(IDS, records.users(IDS), strict=True))
        # A record too heavy to be kept leaves nothing older behind.
        assert all(model[i] == user for i, user in found.items() if user is not ABSENT)
        assert records.weight <= weight_max


@given(st.lists(puts), st.sampled_from(["o1", "o2"]))
def test_a_change_elsewhere_drops_nothing_that_exists(
    steps: list[tuple[str, UserRecord | None]], changed: str
) -> None:
    records = Records(weight_max=1_000)
    for user_id, user in steps:
        records.put_user(user_id, user)
    before = records.users(IDS)

    records.drop([Change(revision=1, organization_id=changed)])

    for old, new in zip(before, records.users(IDS), strict=True):
        if isinstance(old, UserRecord) and old.organization_id != changed:
            assert new is old
