"""Keeping keys to their schedule: by whoever comes first, sealed as the secret says."""

import asyncio
from collections.abc import Callable

import pytest

from authsvc.audit import OPERATOR, SYSTEM
from authsvc.key_pairs import Algorithm
from authsvc.key_rotation import CHECK_EVERY_S, KeyRotation, keep_rotating
from authsvc.key_schedule import KeyRules
from authsvc.key_sealing import is_sealed, unseal
from svckit.errors import NotFound, Unavailable
from svckit.settings import SettingsError
from tests.fakes import FakeStore

DAY_S = 86_400
SECRET, NEW_SECRET = "s" * 32, "t" * 32


class Setting:
    def __init__(self) -> None:
        self.store = FakeStore()
        self.now = 1_000_000.0

    def rotation(
        self,
        *,
        secret: str | None = None,
        old_secret: str | None = None,
        algorithm: Algorithm = Algorithm.ES256,
        token_ttl_s: int = 600,
    ) -> KeyRotation:
        return KeyRotation(
            self.store,
            rules=KeyRules(token_ttl_s=token_ttl_s, rotation_s=30 * DAY_S),
            algorithm=algorithm,
            wall_clock=lambda: self.now,
            secret=secret,
            old_secret=old_secret,
        )


async def test_the_first_key_is_made_once_however_often_it_is_asked_for() -> None:
    a = Setting()

    await asyncio.gather(*(a.rotation().start() for _ in range(3)))
    await a.rotation().start()

    (key,) = a.store.keys
    assert (key.created_at, key.signs_from, key.token_ttl_s) == (1_000_000, 1_000_000, 600)


async def test_a_start_with_nothing_to_change_writes_nothing() -> None:
    a = Setting()
    await a.rotation(secret=SECRET).start()

    await a.rotation(secret=SECRET).start()
    await a.rotation(secret=SECRET).check()

    assert a.store.key_changes == [SYSTEM]


async def test_a_start_notes_that_our_tokens_live_longer() -> None:
    a = Setting()
    await a.rotation().start()

    await a.rotation(token_ttl_s=DAY_S).start()
    await a.rotation().start()

    assert [key.token_ttl_s for key in a.store.keys] == [DAY_S]


async def test_the_next_key_is_made_when_it_is_due_and_the_last_one_goes_in_the_end() -> None:
    a = Setting()
    await a.rotation().start()
    (first,) = a.store.keys

    a.now += 30 * DAY_S - 600
    await asyncio.gather(*(a.rotation().check() for _ in range(3)))

    _, second = a.store.keys
    assert second.signs_from == first.signs_from + 30 * DAY_S
    a.now = second.signs_from + 639.0
    await a.rotation().check()
    assert a.store.keys == [first, second]
    a.now += 1
    await a.rotation().check()
    assert a.store.keys == [second]
    assert set(a.store.key_changes) == {SYSTEM}


@pytest.mark.parametrize("algorithm", list(Algorithm))
async def test_the_next_key_is_of_the_algorithm_that_is_set(algorithm: Algorithm) -> None:
    a = Setting()
    await a.rotation(algorithm=algorithm).start()

    assert [key.algorithm for key in a.store.keys] == [algorithm]


async def test_the_operator_makes_a_key_that_signs_now_or_later() -> None:
    a = Setting()
    await a.rotation().start()

    await a.rotation().rotate(wait_s=0)
    await a.rotation().rotate(wait_s=600)

    assert [key.signs_from - 1_000_000 for key in a.store.keys] == [0, 0, 600]
    assert a.store.key_changes[1:] == [OPERATOR, OPERATOR]


async def test_the_only_key_is_withdrawn_for_a_new_one_that_signs() -> None:
    a = Setting()
    await a.rotation().start()
    (first,) = a.store.keys
    a.now += 5

    await a.rotation().withdraw(first.kid)

    (second,) = a.store.keys
    assert second.kid != first.kid
    assert second.signs_from == 1_000_005
    assert a.store.key_changes[-1] == OPERATOR


@pytest.mark.parametrize("kid", ["", "k", "' OR 1=1 --", "\x00", "x" * 10_000])
async def test_withdrawing_a_key_that_is_not_there_changes_nothing(kid: str) -> None:
    a = Setting()
    await a.rotation().start()
    before = (list(a.store.keys), a.store.revision)

    with pytest.raises(NotFound, match=r"^no such key; `authctl keys list` shows them$"):
        await a.rotation().withdraw(kid)

    assert (a.store.keys, a.store.revision) == before


# Secrets


async def test_plain_keys_are_sealed_at_the_next_start_with_a_secret() -> None:
    a = Setting()
    await a.rotation().start()
    (plain,) = a.store.keys

    await a.rotation(secret=SECRET).start()

    (key,) = a.store.keys
    assert is_sealed(key.private_key)
    assert unseal(key.private_key, kid=key.kid, secret=SECRET) == plain.private_key


async def test_keys_made_with_a_secret_are_never_plain() -> None:
    a = Setting()
    rotation = a.rotation(secret=SECRET)

    await rotation.start()
    await rotation.rotate(wait_s=0)
    await rotation.withdraw(a.store.keys[0].kid)

    assert all(is_sealed(key.private_key) for key in a.store.keys)


@pytest.mark.parametrize(
    ("secret", "old_secret", "reason"),
    [
        (None, None, "AUTH_KEY_SECRET: the signing keys in the database are encrypted"),
        (NEW_SECRET, None, "AUTH_KEY_SECRET: it does not open the signing keys"),
        (NEW_SECRET, "u" * 32, "AUTH_KEY_SECRET: it does not open the signing keys"),
    ],
)
async def test_a_start_without_the_secret_of_the_keys_is_refused_and_changes_nothing(
    secret: str | None, old_secret: str | None, reason: str
) -> None:
    a = Setting()
    await a.rotation(secret=SECRET).start()
    before = list(a.store.keys)

    with pytest.raises(SettingsError, match=f"^{reason}") as refused:
        await a.rotation(secret=secret, old_secret=old_secret).start()

    assert not any(text in str(refused.value) for text in (SECRET, secret, old_secret) if text)
    assert a.store.keys == before


async def test_the_secret_is_replaced_with_the_old_one_beside_it() -> None:
    a = Setting()
    await a.rotation(secret=SECRET).start()

    await a.rotation(secret=NEW_SECRET, old_secret=SECRET).start()
    await a.rotation(secret=NEW_SECRET).start()

    with pytest.raises(SettingsError):
        await a.rotation(secret=SECRET).start()


# The task


async def wait_until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 # a thread makes the key
            await asyncio.sleep(0.005)


async def test_the_schedule_is_kept_from_the_start_and_through_outages_and_bugs() -> None:
    a = Setting()
    bugs: list[BaseException] = []

    class Flaky(KeyRotation):
        checks = 0

        async def check(self) -> None:
            Flaky.checks += 1
            if Flaky.checks == 1:
                raise Unavailable("the store is down")
            if Flaky.checks == 2:
                raise LookupError("a bug")
            await super().check()

    rotation = Flaky(
        a.store,
        rules=KeyRules(token_ttl_s=600),
        algorithm=Algorithm.ES256,
        wall_clock=lambda: a.now,
    )
    async with keep_rotating(rotation, report_bug=bugs.append, every_s=0.001):
        await wait_until(lambda: len(a.store.keys) == 1)

    assert [type(bug) for bug in bugs] == [LookupError]
    assert not any(task.get_name() == "key-rotation" for task in asyncio.all_tasks())


def test_every_process_notes_its_tokens_before_a_key_could_go() -> None:
    assert KeyRules(token_ttl_s=1).retirement_s > CHECK_EVERY_S
