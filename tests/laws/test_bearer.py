"""Law of bearer tokens: any header is one bearer token or refused."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from svckit.bearer import bearer_token
from svckit.errors import Unauthenticated
from tests.unit.svckit.credentials import request_with


@given(st.text(st.characters(max_codepoint=255)))
def test_any_header_is_a_token_without_blanks_or_refused(value: str) -> None:
    with suppress(Unauthenticated):
        token = bearer_token(request_with([value]))
        assert token
        assert token.isascii()
        assert not set(token) & set(" \t\r\n,")
