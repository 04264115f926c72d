"""Law of ids: any text is the id it is, or refused without being quoted."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from svckit.errors import InvalidRequest
from svckit.ids import ID_BYTES_MAX, check_id

REFUSALS = {
    "name is empty",
    f"name is longer than {ID_BYTES_MAX} bytes",
    "name holds a control character",
    "name is not valid UTF-8",
}


def is_id(value: str) -> bool:
    encoded = value.encode(errors="surrogatepass")
    has_control = any(unicodedata.category(char) in ("Cc", "Cs") for char in value)
    return 1 <= len(encoded) <= ID_BYTES_MAX and not has_control


@given(st.text(max_size=160) | st.text(st.characters(categories=["Cc", "Cs", "L"]), max_size=4))
def test_an_id_is_accepted_unchanged_or_refused_in_one_of_four_sentences(value: str) -> None:
    try:
        answer = check_id("name", value)
    except InvalidRequest as exc:
        answer = exc.detail

    assert answer == value if is_id(value) else answer in REFUSALS
