"""Which passwords there are, and which are the same."""

import pytest

from authsvc.password_rules import PASSWORD_BYTES_MAX, new_password_bytes, password_bytes
from svckit.errors import InvalidRequest


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("cafe\u0301 con leche", "caf\u00e9 con leche"),
        ("\uff30\uff41\uff53\uff53word", "Password"),
        ("\u212bngstr\u00f6m!", "\u00c5ngstro\u0308m!"),
    ],
)
def test_what_looks_the_same_on_any_keyboard_is_the_same(one: str, same: str) -> None:
    assert password_bytes(one) == password_bytes(same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("password", "p\u0430ssword"),  # Cyrillic
        ("password", "Password"),
        ("password", "password "),
        ("password", "pass\u200bword"),
        ("stra\u00dfe", "strasse"),
    ],
)
def test_what_merely_looks_alike_is_not_the_same(one: str, other: str) -> None:
    assert password_bytes(one) != password_bytes(other)


@pytest.mark.parametrize("character", ["x", "\u00e9", "\u20ac", "\U0001f600"])
def test_a_password_has_1024_bytes_at_most(character: str) -> None:
    fits = character * (PASSWORD_BYTES_MAX // len(character.encode()))

    assert password_bytes(fits) == fits.encode()
    with pytest.raises(InvalidRequest, match=r"^the password is longer than 1024 bytes$"):
        password_bytes(fits + character)


def test_it_is_not_longer_once_it_is_normalized() -> None:
    with pytest.raises(InvalidRequest, match="longer than 1024 bytes"):
        password_bytes("\ufdfa" * 300)


def test_text_that_is_none_is_refused_without_being_quoted() -> None:
    with pytest.raises(InvalidRequest) as caught:
        password_bytes("canary\ud800")

    assert "canary" not in repr((caught.value, caught.value.__cause__, caught.value.__context__))


def test_a_new_password_has_eight_characters_at_least() -> None:
    assert new_password_bytes("\u20ac" * 8) == ("\u20ac" * 8).encode()
    for short in ("", "1234567", "e\u0301" * 7):
        with pytest.raises(InvalidRequest, match=r"^the password is shorter than 8 characters$"):
            new_password_bytes(short)
