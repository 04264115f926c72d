"""The signing keys: looked up when unknown, but no oftener than once a second."""

import asyncio
from collections.abc import Sequence

import pytest

from authsvc.keys import Keys
from authsvc.store import StoredKey
from authsvc.tokens import new_key_pair
from svckit.errors import Unavailable
from tests.fakes import FakeStore

PAIRS = [new_key_pair() for _ in range(2)]


def stored(kid: str, *, pair: int = 0) -> StoredKey:
    private_pem, public_pem = PAIRS[pair]
    return StoredKey(
        kid=kid,
        algorithm="ES256",
        private_pem=private_pem,
        public_pem=public_pem,
        created_at=0,
    )


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Setting:
    """Keys over a fake store, and the clock they read."""

    def __init__(self, kids: Sequence[str] = ("k1",)) -> None:
        self.store = FakeStore()
        self.store.keys = [stored(kid) for kid in kids]
        self.clock = Clock()
        self.keys = Keys(self.store, clock=self.clock)


async def wait_until_read(store: FakeStore) -> None:
    """Until a read of the keys stands at the closed gate, and the others in line behind it."""
    await asyncio.wait_for(store.is_reading.wait(), 5)
    for _ in range(10):
        await asyncio.sleep(0)


async def test_known_keys_are_read_once_in_half_a_minute() -> None:
    a = Setting()

    for _ in range(29):
        assert set(await a.keys.verifying("k1")) == {"k1"}
        a.clock.now += 1

    assert a.store.reads == 1


async def test_a_key_that_left_the_store_is_good_for_half_a_minute_at_most() -> None:
    a = Setting(("k1", "k2"))
    await a.keys.verifying("k1")
    a.store.keys = [stored("k2")]
    a.clock.now += 30

    assert set(await a.keys.verifying("k1")) == {"k2"}
    assert (await a.keys.signing()).kid == "k2"


async def test_unknown_keys_are_looked_up_at_most_once_a_second() -> None:
    a = Setting()
    await a.keys.verifying("k1")

    for _ in range(50):
        a.clock.now += 0.019
        assert "nobody" not in await a.keys.verifying("nobody")
    assert a.store.reads == 1

    a.clock.now += 1.0
    await a.keys.verifying("nobody")
    await a.keys.verifying("someone else")
    assert a.store.reads == 2


async def test_a_key_added_by_another_process_is_found_within_a_second() -> None:
    a = Setting()
    await a.keys.verifying("k1")
    a.store.keys.insert(0, stored("k2", pair=1))

    a.clock.now += 1.0

    assert set(await a.keys.verifying("k2")) == {"k1", "k2"}


async def test_a_burst_of_unknown_keys_is_one_read() -> None:
    a = Setting()
    a.store.gate.clear()
    burst = [asyncio.create_task(a.keys.verifying(f"x{i}")) for i in range(20)]
    await wait_until_read(a.store)

    a.store.gate.set()

    assert [set(keys) for keys in await asyncio.gather(*burst)] == [{"k1"}] * 20
    assert a.store.reads == 1


async def test_who_comes_during_a_read_gets_what_it_found() -> None:
    a = Setting()
    a.store.gate.clear()
    first = asyncio.create_task(a.keys.verifying("k1"))
    await wait_until_read(a.store)
    second = asyncio.create_task(a.keys.verifying("k1"))

    a.store.gate.set()

    assert set(await second) == set(await first) == {"k1"}


async def test_a_caller_who_leaves_does_not_take_the_read_from_the_others() -> None:
    a = Setting()
    a.store.gate.clear()
    leaver = asyncio.create_task(a.keys.verifying("k1"))
    await wait_until_read(a.store)
    other = asyncio.create_task(a.keys.verifying("k1"))

    leaver.cancel()
    a.store.gate.set()

    assert set(await other) == {"k1"}
    assert leaver.cancelled()


async def test_a_store_that_is_down_is_a_failure_and_never_an_unknown_key() -> None:
    a = Setting()
    a.store.is_down = True

    for _ in range(3):
        with pytest.raises(Unavailable):
            await a.keys.verifying("k1")

    # No second has to pass: a failed read told us nothing that could be kept.
    a.store.is_down = False
    assert set(await a.keys.verifying("k1")) == {"k1"}


async def test_everyone_who_waits_for_a_failing_read_is_told_of_a_failure() -> None:
    a = Setting()
    a.store.gate.clear()
    a.store.is_down = True
    burst = [asyncio.create_task(a.keys.verifying("k1")) for _ in range(5)]
    await wait_until_read(a.store)

    a.store.gate.set()
    answers = await asyncio.gather(*burst, return_exceptions=True)

    assert [type(answer) for answer in answers] == [Unavailable] * 5


async def test_known_keys_outlive_an_outage_of_the_store_that_is_shorter() -> None:
    a = Setting()
    await a.keys.verifying("k1")
    a.store.is_down = True
    a.clock.now += 29

    with pytest.raises(Unavailable):
        await a.keys.verifying("k2")
    assert set(await a.keys.verifying("k1")) == {"k1"}
    a.clock.now += 1
    with pytest.raises(Unavailable):
        await a.keys.verifying("k1")


async def test_a_stored_key_that_cannot_be_read_never_makes_the_others_unknown() -> None:
    a = Setting()
    broken = StoredKey(
        kid="k0", algorithm="ES256", private_pem="", public_pem="no key", created_at=0
    )
    a.store.keys.append(broken)

    for _ in range(2):
        with pytest.raises(ValueError, match="PEM"):
            await a.keys.verifying("k1")

    a.store.keys.remove(broken)
    assert set(await a.keys.verifying("k1")) == {"k1"}


async def test_the_newest_key_signs() -> None:
    a = Setting(("k2", "k1"))

    assert (await a.keys.signing()).kid == "k2"
    assert (await a.keys.signing()).pem == PAIRS[0][0]
    assert a.store.reads == 1


async def test_the_first_key_is_made_once_however_often_it_is_asked_for() -> None:
    a = Setting(())

    await a.keys.make_first(wall_now=1.5)
    first = await a.keys.signing()
    await a.keys.make_first(wall_now=2.0)

    assert [key.kid for key in a.store.keys] == [first.kid]
    assert a.store.keys[0].created_at == 1
    assert set(await a.keys.verifying(first.kid)) == {first.kid}


async def test_signing_before_any_key_was_made_is_our_own_mistake() -> None:
    a = Setting(())

    with pytest.raises(AssertionError, match="no signing key"):
        await a.keys.signing()
