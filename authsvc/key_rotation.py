"""Keeps the signing keys to their schedule, and changes them when the operator says so.

Any number of processes may do it at once: what is to be done is judged again under the write lock,
by what is stored then, so whoever comes first does it.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from authsvc.audit import OPERATOR, SYSTEM
from authsvc.key_pairs import Algorithm, new_key_pair
from authsvc.key_schedule import KeyRules, is_due, noted, rotated, turned, withdrawn
from authsvc.key_sealing import WrongSecret, reseal, seal
from authsvc.store import KeyChange, Store, StoredKey
from svckit.errors import NotFound
from svckit.housekeeping import every
from svckit.settings import SettingsError

__all__ = ["KeyRotation", "keep_rotating"]

# Often enough that each process has noted how long its tokens live on each key before one of these
# could be withdrawn: no sooner than KeyRules.retirement_s after it was made.
CHECK_EVERY_S = 30.0
CHECK_TIMEOUT_S = 10.0

SECRET_MISSING = (
    "AUTH_KEY_SECRET: the signing keys in the database are encrypted, and it is not set"  # noqa: S105 # no secret
)
SECRET_WRONG = "AUTH_KEY_SECRET: it does not open the signing keys in the database"  # noqa: S105 # no secret


class KeyRotation:
    """`wall_clock` gives seconds since 1970. All methods raise Unavailable."""

    def __init__(
        self,
        store: Store,
        *,
        rules: KeyRules,
        algorithm: Algorithm,
        wall_clock: Callable[[], float],
        secret: str | None = None,
        old_secret: str | None = None,
    ) -> None:
        self.rules = rules
        self._store = store
        self._algorithm = algorithm
        self._wall_clock = wall_clock
        self._secret = secret
        self._old_secret = old_secret

    async def start(self) -> None:
        """There is a key, and each is stored as the secret says. Raises SettingsError."""
        stored = await self._store.signing_keys()
        resealed = await asyncio.to_thread(self._resealed, stored)
        spare = None if stored else await self._spare()

        def change(keys: tuple[StoredKey, ...]) -> tuple[StoredKey, ...]:
            at_rest = [
                replace(k, private_key=resealed.get(k.private_key, k.private_key)) for k in keys
            ]
            known = noted(at_rest, self.rules)
            if known or spare is None:
                return known
            return rotated((), spare, now=self._wall_clock(), wait_s=0, rules=self.rules)

        await self._change_if_needed(stored, change)

    async def check(self) -> None:
        """Does what is due by now."""
        stored = await self._store.signing_keys()
        # Made before the lock is taken, for it takes its time.
        is_spare_wanted = is_due(stored, self._wall_clock(), self.rules)
        spare = await self._spare() if is_spare_wanted else None

        def change(keys: tuple[StoredKey, ...]) -> tuple[StoredKey, ...]:
            return turned(keys, spare, now=self._wall_clock(), rules=self.rules)

        await self._change_if_needed(stored, change)

    async def _change_if_needed(self, stored: tuple[StoredKey, ...], change: KeyChange) -> None:
        # Mostly there is nothing to do, and then nobody waits for a lock.
        if change(stored) != stored:
            await self._store.change_signing_keys(change, by=SYSTEM)

    async def rotate(self, *, wait_s: int) -> None:
        """The operator's: a new key, which signs after this time."""
        spare = await self._spare()

        def change(keys: tuple[StoredKey, ...]) -> tuple[StoredKey, ...]:
            now = self._wall_clock()
            return rotated(keys, spare, now=now, wait_s=wait_s, rules=self.rules)

        await self._store.change_signing_keys(change, by=OPERATOR)

    async def withdraw(self, kid: str) -> None:
        """The operator's: no token of this key is worth anything any more. Raises NotFound."""
        spare = await self._spare()

        def change(keys: tuple[StoredKey, ...]) -> tuple[StoredKey, ...]:
            if all(key.kid != kid for key in keys):
                raise NotFound("no such key; `authctl keys list` shows them")
            return withdrawn(keys, kid, spare, now=self._wall_clock(), rules=self.rules)

        await self._store.withdraw_signing_keys(change, by=OPERATOR)

    def _resealed(self, keys: tuple[StoredKey, ...]) -> dict[str, str]:
        """What should be stored instead of what is."""
        secrets_ = {"secret": self._secret, "old_secret": self._old_secret}
        try:
            return {k.private_key: reseal(k.private_key, kid=k.kid, **secrets_) for k in keys}
        except WrongSecret as exc:
            raise SettingsError(SECRET_MISSING if self._secret is None else SECRET_WRONG) from exc

    async def _spare(self) -> StoredKey:
        """In nobody's hands yet; its times are set when it is put among the others."""
        return await asyncio.to_thread(self._new_key)

    def _new_key(self) -> StoredKey:
        kid = secrets.token_hex(8)  # never taken for an option, as one with a dash would be
        private, public_pem = new_key_pair(self._algorithm)
        return StoredKey(
            kid=kid,
            algorithm=self._algorithm.value,
            private_key=_at_rest(private, kid, self._secret),
            public_key=public_pem,
            created_at=0,
            signs_from=0,
            token_ttl_s=0,
        )


def _at_rest(pem: str, kid: str, secret: str | None) -> str:
    return pem if secret is None else seal(pem, kid=kid, secret=secret)


def keep_rotating(
    rotation: KeyRotation,
    *,
    report_bug: Callable[[BaseException], object],
    every_s: float = CHECK_EVERY_S,
) -> AbstractAsyncContextManager[None]:
    """Checks while the body runs, at once and then again and again."""
    return every(
        every_s,
        rotation.check,
        name="key-rotation",
        timeout_s=CHECK_TIMEOUT_S,
        report_bug=report_bug,
    )
