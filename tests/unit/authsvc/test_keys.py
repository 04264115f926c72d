"""The signing keys: kept while it is certain that they are good, looked up when unknown."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from authsvc.audit import SYSTEM
from authsvc.key_pairs import new_key_pair
from authsvc.key_sealing import WrongSecret, seal
from authsvc.keys import Keys
from authsvc.knowledge import Knowledge
from authsvc.store import StoredKey
from svckit.errors import Unavailable
from tests.fakes import FakeStore

PAIRS = [new_key_pair() for _ in range(2)]
SECRET = "s" * 32


def stored(kid: str, *, pair: int = 0, signs_from: int = 0, secret: str | None = None) -> StoredKey:
    pem, public_pem = PAIRS[pair]
    return StoredKey(
        kid=kid,
        algorithm="ES256",
        private_key=pem if secret is None else seal(pem, kid=kid, secret=secret),
        public_key=public_pem,
        created_at=0,
        signs_from=signs_from,
        token_ttl_s=600,
    )


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Setting:
    """Keys over a fake store, and the clock they read; followed, so that there is a lease."""

    def __init__(self, kids: Sequence[str] = ("k1",), *, secret: str | None = None) -> None:
        self.store = FakeStore()
        self.store.keys = [stored(kid, secret=secret) for kid in kids]
        self.clock = Clock()
        self.wall_now = 1_000.0
        self.knowledge = Knowledge(records_weight_max=100)
        self.keys = Keys(
            self.store,
            freshness=self.knowledge.freshness,
            clock=self.clock,
            wall_clock=lambda: self.wall_now,
            secret=secret,
        )
        self.follow()

    def follow(self) -> None:
        """Learns what the store says now, without a wait."""
        at = self.knowledge.freshness.position()
        page = self.store.page_since(at.database_id, at.revision)
        assert self.knowledge.learn(page, asked_at=at, read_started_at=self.clock.now)

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.follow()

    def lose_lease(self) -> None:
        self.clock.now += 1.5

    async def withdraw(self, kid: str) -> None:
        await self.store.withdraw_signing_keys(
            lambda keys: tuple(key for key in keys if key.kid != kid), by=SYSTEM
        )


async def wait_until_read(store: FakeStore) -> None:
    """Until a read of the keys stands at the closed gate, and the others in line behind it."""
    await asyncio.wait_for(store.is_reading.wait(), 5)
    for _ in range(10):
        await asyncio.sleep(0)


async def test_known_keys_are_read_once_in_half_a_minute() -> None:
    a = Setting()

    for _ in range(29):
        assert set(await a.keys.verifying("k1")) == {"k1"}
        assert (await a.keys.signing()).kid == "k1"
        a.pass_time(1)

    assert a.store.reads == 1


async def test_a_key_whose_time_was_over_is_forgotten_after_half_a_minute() -> None:
    a = Setting(("k1", "k2"))
    await a.keys.verifying("k1")
    a.store.keys = [stored("k2")]
    a.pass_time(30)

    assert set(await a.keys.verifying("k1")) == {"k2"}
    assert (await a.keys.signing()).kid == "k2"


async def test_a_withdrawn_key_is_forgotten_as_soon_as_the_feed_tells() -> None:
    a = Setting(("k1", "k2"))
    await a.keys.verifying("k1")

    await a.withdraw("k1")
    a.follow()

    assert set(await a.keys.verifying("k1")) == {"k2"}
    assert (await a.keys.signing()).kid == "k2"
    assert {key.kid for key in await a.keys.published()} == {"k2"}
    assert a.store.reads == 2


async def test_without_a_lease_each_question_is_a_read() -> None:
    a = Setting(("k1", "k2"))
    await a.keys.verifying("k1")
    await a.withdraw("k1")

    a.lose_lease()

    assert set(await a.keys.verifying("k1")) == {"k2"}
    for reads in (3, 4, 5):
        await a.keys.verifying("k2")
        assert a.store.reads == reads


async def test_keys_read_before_everything_was_forgotten_are_not_used_after_it() -> None:
    a = Setting(("k1", "k2"))
    a.store.gate.clear()
    reading = asyncio.create_task(a.keys.verifying("k1"))
    await wait_until_read(a.store)
    stale = a.store.keys
    await a.withdraw("k1")
    a.follow()
    # What this read brings was true when it began.
    a.store.keys, current = stale, a.store.keys
    a.store.gate.set()
    await reading
    a.store.keys = current

    assert set(await a.keys.verifying("k1")) == {"k2"}


async def test_without_a_lease_a_read_that_was_under_way_is_not_enough() -> None:
    a = Setting(("k1", "k2"))
    await a.keys.verifying("k1")
    a.lose_lease()
    a.store.gate.clear()
    a.store.is_reading.clear()
    first = asyncio.create_task(a.keys.verifying("k1"))
    await wait_until_read(a.store)
    burst = [asyncio.create_task(a.keys.verifying("k1")) for _ in range(20)]

    a.store.gate.set()
    await asyncio.gather(first, *burst)

    # The first one's, and one more for all who came during it.
    assert a.store.reads == 3


async def test_unknown_keys_are_looked_up_at_most_once_a_second() -> None:
    a = Setting()
    await a.keys.verifying("k1")

    for _ in range(50):
        a.pass_time(0.019)
        assert "nobody" not in await a.keys.verifying("nobody")
    assert a.store.reads == 1

    a.pass_time(1.0)
    await a.keys.verifying("nobody")
    await a.keys.verifying("someone else")
    assert a.store.reads == 2


async def test_unknown_keys_are_no_more_reads_when_there_is_no_lease() -> None:
    a = Setting()
    await a.keys.verifying("k1")
    a.lose_lease()

    for _ in range(50):
        a.clock.now += 0.019
        assert "nobody" not in await a.keys.verifying("nobody")

    assert a.store.reads == 2


async def test_a_key_added_by_another_process_is_found_within_a_second() -> None:
    a = Setting()
    await a.keys.verifying("k1")
    a.store.keys.insert(0, stored("k2", pair=1))

    a.pass_time(1.0)

    assert set(await a.keys.verifying("k2")) == {"k1", "k2"}


async def test_a_burst_of_unknown_keys_is_few_reads() -> None:
    a = Setting()
    a.store.gate.clear()
    burst = [asyncio.create_task(a.keys.verifying(f"x{i}")) for i in range(20)]
    await wait_until_read(a.store)

    a.store.gate.set()

    assert [set(keys) for keys in await asyncio.gather(*burst)] == [{"k1"}] * 20
    assert a.store.reads <= 2


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


async def test_known_keys_outlive_an_outage_of_the_store_no_longer_than_the_lease() -> None:
    a = Setting()
    await a.keys.verifying("k1")
    a.store.is_down = True
    a.clock.now += 1.4

    assert set(await a.keys.verifying("k1")) == {"k1"}
    a.clock.now += 0.1
    with pytest.raises(Unavailable):
        await a.keys.verifying("k1")
    with pytest.raises(Unavailable):
        await a.keys.signing()


async def test_a_stored_key_that_cannot_be_read_never_makes_the_others_unknown() -> None:
    a = Setting()
    broken = replace(stored("k0"), public_key="no key")
    a.store.keys.append(broken)

    for _ in range(2):
        with pytest.raises(ValueError, match="PEM"):
            await a.keys.verifying("k1")

    a.store.keys.remove(broken)
    assert set(await a.keys.verifying("k1")) == {"k1"}


async def test_a_key_signs_from_its_time_on_without_another_read() -> None:
    a = Setting()
    a.store.keys.append(stored("k2", pair=1, signs_from=1_010))

    assert (await a.keys.signing()).kid == "k1"
    a.wall_now = 1_009.9
    assert (await a.keys.signing()).kid == "k1"
    a.wall_now = 1_010.0
    assert (await a.keys.signing()).kid == "k2"
    assert a.store.reads == 1


async def test_a_private_key_is_opened_once_and_not_for_each_token() -> None:
    a = Setting(secret=SECRET)

    first = await a.keys.signing()
    a.pass_time(30)

    assert await a.keys.signing() is first
    assert a.store.reads == 2


async def test_a_key_that_another_process_sealed_with_another_secret_does_not_sign() -> None:
    a = Setting(secret=SECRET)
    a.store.keys = [stored("k1", secret="t" * 32)]

    with pytest.raises(WrongSecret):
        await a.keys.signing()
    assert set(await a.keys.verifying("k1")) == {"k1"}


async def test_signing_before_any_key_was_made_is_our_own_mistake() -> None:
    a = Setting(())

    with pytest.raises(AssertionError, match="no signing key"):
        await a.keys.signing()
