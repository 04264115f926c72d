"""Laws of cursors: one of ours comes back, and any other text is a position or refused."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from catalogsvc.cursor import cursor_after, id_before
from svckit.errors import InvalidRequest
from svckit.ids import check_id

ids = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=32)


@given(ids)
def test_a_cursor_comes_back_as_the_id_it_was_made_of(product_id: str) -> None:
    cursor = cursor_after(product_id)

    assert id_before(cursor) == product_id
    assert all(char.isascii() and (char.isalnum() or char in "-_") for char in cursor)


@given(st.text())
def test_any_text_is_a_position_or_refused(text: str) -> None:
    with suppress(InvalidRequest):
        assert check_id("id", id_before(text))
