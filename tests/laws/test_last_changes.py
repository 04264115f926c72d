"""The law of `LastChanges`: it may say too much, never too little."""

from hypothesis import given
from hypothesis import strategies as st

from svckit.last_changes import LastChanges

KEYS = "abcdef"


@given(st.integers(1, 4), st.lists(st.sampled_from(KEYS), max_size=30))
def test_a_change_is_never_forgotten(keys_max: int, touched: list[str]) -> None:
    last = LastChanges(keys_max=keys_max)
    truth: dict[str, int] = {}

    for revision, key in enumerate(touched, start=1):
        last.note(key, revision)
        truth[key] = revision

        assert all(last.at(known) >= truth.get(known, 0) for known in KEYS)
        # And of the newest, as many as there is room for, exactly.
        newest = sorted(truth, key=truth.__getitem__, reverse=True)[:keys_max]
        assert all(last.at(known) == truth[known] for known in newest)
