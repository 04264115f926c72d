"""Hashing passwords: what matches, what it costs, and how many may come at once."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from authsvc.passwords import PLACES_MAX, PasswordCost, Passwords
from svckit.errors import Overloaded

LIGHT = PasswordCost(memory_kib=8, passes=1)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords(LIGHT)
    yield passwords
    passwords.close()


async def test_a_password_matches_its_own_hash_and_no_other(passwords: Passwords) -> None:
    with passwords.place("n"):
        stored = await passwords.hash(b"secret")

        assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")
        assert await passwords.is_match(stored, b"secret")
        assert not await passwords.is_match(stored, b"Secret")
        assert await passwords.hash(b"secret") != stored


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$m=8,t=1,p=1$$"])
async def test_nothing_matches_what_is_no_hash(passwords: Passwords, stored: str | None) -> None:
    with passwords.place("n"):
        assert not await passwords.is_match(stored, b"")


async def test_a_hash_of_another_cost_is_outdated_and_still_matches(passwords: Passwords) -> None:
    heavier = Passwords(PasswordCost(memory_kib=16, passes=2))
    try:
        with passwords.place("n"), heavier.place("n"):
            stored = await passwords.hash(b"secret")

            assert (passwords.is_outdated(stored), heavier.is_outdated(stored)) == (False, True)
            assert await heavier.is_match(stored, b"secret")
    finally:
        heavier.close()


async def test_the_event_loop_turns_while_a_password_is_hashed() -> None:
    passwords = Passwords(PasswordCost(memory_kib=8 * 1024, passes=8))
    try:
        with passwords.place("n"):
            hashing = asyncio.ensure_future(passwords.hash(b"secret"))
            turns = 0
            while not hashing.done():
                await asyncio.sleep(0)
                turns += 1
    finally:
        passwords.close()

    assert turns > 10


def test_when_all_places_are_taken_the_next_is_told_to_come_back(passwords: Passwords) -> None:
    with ExitStack() as taken:
        for number in range(PLACES_MAX):
            taken.enter_context(passwords.place(f"n{number}"))

        with pytest.raises(Overloaded) as caught, passwords.place("another"):
            pass

    assert caught.value.retry_after_s == 1.0
    with passwords.place("n"):
        pass


async def test_nobody_hashes_without_a_place(passwords: Passwords) -> None:
    with pytest.raises(AssertionError, match="place"):
        await passwords.hash(b"secret")
