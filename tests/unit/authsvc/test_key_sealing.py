"""Private keys at rest: opened by the secret they were sealed with, under their own id, or not."""

import pytest

from authsvc.key_pairs import new_key_pair
from authsvc.key_sealing import WrongSecret, is_sealed, reseal, seal, unseal

PEM, _ = new_key_pair()
SECRET, OTHER = "s" * 32, "t" * 32
SEALED = seal(PEM, kid="k1", secret=SECRET)


def test_what_was_sealed_is_opened_by_its_secret_and_shows_nothing_before() -> None:
    assert unseal(SEALED, kid="k1", secret=SECRET) == PEM
    assert is_sealed(SEALED)
    assert not any(line in SEALED for line in PEM.splitlines())


def test_one_key_is_never_sealed_to_the_same_text_twice() -> None:
    assert seal(PEM, kid="k1", secret=SECRET) != SEALED


def test_what_was_never_sealed_is_read_as_it_is() -> None:
    assert not is_sealed(PEM)
    assert unseal(PEM, kid="k1", secret=None) == PEM
    assert unseal(PEM, kid="k1", secret=SECRET) == PEM


@pytest.mark.parametrize("secret", [None, "", OTHER, SECRET[:-1], SECRET + "s", SECRET.upper()])
def test_another_secret_does_not_open_it(secret: str | None) -> None:
    with pytest.raises(WrongSecret) as refused:
        unseal(SEALED, kid="k1", secret=secret)

    assert str(refused.value) == ""


def test_it_is_not_opened_under_the_id_of_another_key() -> None:
    with pytest.raises(WrongSecret):
        unseal(SEALED, kid="k2", secret=SECRET)


@pytest.mark.parametrize(
    "text",
    [
        SEALED[:15],
        SEALED[:-4],
        SEALED[:20] + ("A" if SEALED[20] != "A" else "B") + SEALED[21:],
        SEALED + "AAAA",
        SEALED + "é",
        SEALED.replace(":", ":!", 1),
    ],
)
def test_a_text_that_was_tampered_with_is_not_opened(text: str) -> None:
    with pytest.raises(WrongSecret):
        unseal(text, kid="k1", secret=SECRET)


def test_a_plain_key_is_sealed_as_soon_as_there_is_a_secret() -> None:
    assert reseal(PEM, kid="k1", secret=None, old_secret=None) == PEM

    sealed = reseal(PEM, kid="k1", secret=SECRET, old_secret=None)

    assert unseal(sealed, kid="k1", secret=SECRET) == PEM


def test_a_sealed_key_stays_as_it_is_under_its_own_secret() -> None:
    assert reseal(SEALED, kid="k1", secret=SECRET, old_secret=OTHER) == SEALED


def test_the_old_secret_hands_over_to_the_new_one() -> None:
    sealed = reseal(SEALED, kid="k1", secret=OTHER, old_secret=SECRET)

    assert unseal(sealed, kid="k1", secret=OTHER) == PEM


@pytest.mark.parametrize(
    ("secret", "old_secret"), [(None, None), (None, SECRET), (OTHER, None), (OTHER, OTHER)]
)
def test_without_the_secret_a_sealed_key_is_not_sealed_anew(
    secret: str | None, old_secret: str | None
) -> None:
    with pytest.raises(WrongSecret):
        reseal(SEALED, kid="k1", secret=secret, old_secret=old_secret)
