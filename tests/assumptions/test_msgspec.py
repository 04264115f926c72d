"""What settings and REST rely on in msgspec."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta


def test_a_validation_error_is_a_value_error() -> None:
    assert issubclass(msgspec.ValidationError, msgspec.DecodeError)
    assert issubclass(msgspec.DecodeError, ValueError)


def test_a_dataclass_is_never_given_to_the_hook() -> None:
    # Why an Address in the settings is read by us.
    @dataclass
    class Pair:
        left: str

    def hook(kind: type, value: object) -> object:
        raise AssertionError("not reached")

    with pytest.raises(msgspec.ValidationError, match="Expected `object`, got `str`"):
        msgspec.convert("a:b", Pair, strict=False, dec_hook=hook)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e400"])
def test_bounds_hold_for_numbers_that_are_none(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(text, Annotated[float, Meta(gt=0, le=300)], strict=False)


@pytest.mark.parametrize("kind", [int, float, bool, Annotated[str, Meta(max_length=3)]])
def test_a_refusal_does_not_quote_the_value(kind: Any) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert("hunter2", kind, strict=False)

    assert "hunter2" not in str(caught.value)


def test_text_stays_text_even_if_it_looks_like_something_else() -> None:
    for text in ("null", "1", "true", ""):
        assert msgspec.convert(text, str, strict=False) == text


def test_nesting_without_end_is_a_recursion_error_and_not_a_crash() -> None:
    with pytest.raises(RecursionError):
        msgspec.json.decode(b"[" * 1_000_000)


def test_json_is_read_strictly() -> None:
    for text in (b"\xef\xbb\xbf1", b"1 2", b"NaN", b'"\xff"', b'"\\ud800"', b"'a'", b"01"):
        with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
            msgspec.json.decode(text)
