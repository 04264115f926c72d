"""What comes as a cursor and is none is refused."""

import pytest

from catalogsvc.cursor import id_before
from svckit.errors import InvalidRequest


@pytest.mark.parametrize(
    "text", ["A", "====", "YQ==YQ", "a b", "é", "\ud800", "_w", "AA", "Y" * 400]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        id_before(text)
