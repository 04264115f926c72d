"""What we lean on in argon2-cffi."""

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def test_a_hash_tells_its_own_cost_and_is_verified_at_that() -> None:
    stored = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(b"secret")

    assert stored.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert HASHER.verify(stored, b"secret")
    assert HASHER.check_needs_rehash(stored)
    assert not HASHER.check_needs_rehash(HASHER.hash(b"secret"))


def test_a_wrong_password_and_a_text_that_is_no_hash_are_errors_we_know() -> None:
    with pytest.raises(VerifyMismatchError):
        HASHER.verify(HASHER.hash(b"secret"), b"other")
    assert issubclass(VerifyMismatchError, VerificationError)
    for text in ("", "x", "$argon2id$"):
        with pytest.raises((InvalidHashError, VerificationError)):
            HASHER.verify(text, b"secret")


def test_a_made_up_salt_and_digest_are_hashed_against_like_real_ones() -> None:
    made_up = "$argon2id$v=19$m=8,t=1,p=1$" + "A" * 22 + "$" + "A" * 43

    with pytest.raises(VerifyMismatchError):  # not InvalidHashError, which costs no work
        HASHER.verify(made_up, b"secret")
