"""Any id survives a token, and no text makes a token do more than fail."""

from hypothesis import given
from hypothesis import strategies as st

from authsvc.paging import id_before, token_after
from svckit.errors import InvalidRequest
from svckit.ids import check_id


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=32))
def test_an_id_survives_its_token(last_id: str) -> None:
    assert id_before(token_after(last_id)) == last_id


@given(st.text(max_size=20) | st.text("ABab01-_=+/", max_size=8))
def test_any_token_is_an_id_or_refused(token: str) -> None:
    try:
        found = id_before(token)
    except InvalidRequest:
        return
    assert found == "" or check_id("id", found) == found
