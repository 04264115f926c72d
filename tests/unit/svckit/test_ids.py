"""Ids that come from outside: opaque, bounded, printable."""

import pytest

from svckit.errors import InvalidRequest
from svckit.ids import ID_BYTES_MAX, check_id


@pytest.mark.parametrize(
    "value",
    [
        "a",
        "6f1e6f5c-7a32-4bd8-a0c1-5f0f3c6f5a11",
        "x" * ID_BYTES_MAX,
        "é" * (ID_BYTES_MAX // 2),
        "a/b?c=d&e#f%2F",
        "..",
        "' OR 1=1 --",
        " ",
        "تونس",
        "🏪",
    ],
)
def test_any_printable_text_within_the_bound_is_an_id(value: str) -> None:
    assert check_id("user_id", value) == value


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty"),
        ("x" * 129, "is longer than 128 bytes"),
        ("é" * 65, "is longer than 128 bytes"),
        ("a\x00", "holds a control character"),
        ("a\nb", "holds a control character"),
        ("\x7f", "holds a control character"),
        ("\x85", "holds a control character"),
        ("\ud800", "is not valid UTF-8"),
    ],
)
def test_a_bad_id_is_refused_with_the_name_of_its_field_alone(value: str, problem: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_id("user_id", value)

    assert caught.value.detail == f"user_id {problem}"
