"""What a refresh token looks like, and what is none."""

import secrets

import pytest

from authsvc.refresh_tokens import SECRET_BYTES, RefreshToken
from svckit.errors import Unauthenticated

GOOD = RefreshToken(family="f" * 32, generation="g" * 32)


def test_a_token_is_read_back_from_its_text() -> None:
    fresh = RefreshToken(
        family=secrets.token_urlsafe(SECRET_BYTES), generation=secrets.token_urlsafe(SECRET_BYTES)
    )

    assert RefreshToken.parse(fresh.text) == fresh
    assert fresh.text.startswith("prt_")


@pytest.mark.parametrize(
    "text",
    [
        *("", "prt_", "prt_.", GOOD.text[:-1], GOOD.text + "g", f" {GOOD.text}", f"{GOOD.text}\n"),
        GOOD.text.replace("prt_", ""),
        GOOD.text.replace("prt_", "PRT_"),
        GOOD.text.replace(".", ""),
        GOOD.text.replace("f", "\u0444"),
        GOOD.text.replace("g", "'"),
        "x" * 100_000,
    ],
)
def test_what_is_not_exactly_one_token_is_refused_with_the_same_sentence(text: str) -> None:
    with pytest.raises(Unauthenticated, match=r"^the refresh token is not valid$"):
        RefreshToken.parse(text)


def test_the_halves_have_hashes_of_their_own_and_neither_is_shown() -> None:
    assert GOOD.family_hash != GOOD.generation_hash
    assert len(GOOD.family_hash) == len(GOOD.generation_hash) == 64
    assert "ff" not in repr(GOOD)
    assert "gg" not in repr(GOOD)
