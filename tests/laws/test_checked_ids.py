"""The quick check of ids says the same as the thorough one, however often it is asked."""

from collections.abc import Callable
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from catalogsvc.authz.errors import InvalidRequest
from catalogsvc.authz.model import CheckedIds
from svckit.ids import check_id

some_ids = st.text(st.characters() | st.sampled_from("\x00\x1f\x7f\x85 ~\u200b\ud800"), max_size=4)
long_ids = st.builds(str.__mul__, st.sampled_from(["x", "ñ", "€"]), st.integers(40, 130))


def fault(check: Callable[[], object]) -> str | None:
    try:
        check()
    except InvalidRequest as exc:
        return exc.detail
    return None


@given(st.lists(st.tuples(*[some_ids | long_ids] * 3), max_size=6))
def test_the_quick_check_agrees_with_the_thorough_one(
    rows: list[tuple[str, str, str]],
) -> None:
    ids = CheckedIds()
    names = ("user_id", "organization_id", "local_id")

    for row in rows * 2:
        faults = [
            fault(partial(check_id, name, value)) for name, value in zip(names, row, strict=True)
        ]
        assert fault(partial(ids.check, row)) == next(filter(None, faults), None)
