"""The signing keys in use: kept parsed, read anew when one is unknown and every half minute."""

import asyncio
import secrets
from collections.abc import Callable, Mapping

from authsvc.store import Store, StoredKey
from authsvc.tokens import PrivateKey, PublicKey, new_key_pair

__all__ = ["Keys"]

# An unknown key id makes us look into the store, but no oftener: ids are the caller's to invent.
RELOAD_INTERVAL_S = 1.0
# A key that was taken out of the store is good for this much longer.
KEPT_S = 30.0


class Keys:
    """`clock` gives monotonic seconds.

    A key that another process added is found within RELOAD_INTERVAL_S of the first token of it.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._public: Mapping[str, PublicKey] = {}
        self._newest: PrivateKey | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def make_first(self, *, wall_now: float) -> None:
        """Makes a key when there is none. Any number of processes may do so at once."""
        if await self._store.signing_keys():
            return
        private_pem, public_pem = new_key_pair()
        await self._store.add_first_signing_key(
            StoredKey(
                kid=secrets.token_urlsafe(12),
                algorithm="ES256",
                private_pem=private_pem,
                public_pem=public_pem,
                created_at=int(wall_now),
            )
        )

    async def signing(self) -> PrivateKey:
        """The newest key. Raises AssertionError before `make_first`."""
        await self._read_if_older(KEPT_S)
        assert self._newest is not None, "no signing key was ever made"
        return self._newest

    async def verifying(self, kid: str) -> Mapping[str, PublicKey]:
        """All public keys; read anew sooner when `kid` is not among them."""
        await self._read_if_older(KEPT_S if kid in self._public else RELOAD_INTERVAL_S)
        return self._public

    async def _read_if_older(self, age_s: float) -> None:
        if self._clock() < self._read_at + age_s:
            return
        # Whoever comes during a read waits for it: "unknown" before its end would be a lie.
        async with self._reading:
            if self._clock() >= self._read_at + age_s:
                await self._read()

    async def _read(self) -> None:
        started_at = self._clock()
        stored = await self._store.signing_keys()
        self._public = {
            key.kid: PublicKey.from_pem(kid=key.kid, algorithm=key.algorithm, pem=key.public_pem)
            for key in stored
        }
        self._newest = _private(stored[0]) if stored else None
        # Only now: a read that failed must not make every key unknown for a while.
        self._read_at = started_at


def _private(key: StoredKey) -> PrivateKey:
    return PrivateKey(kid=key.kid, algorithm=key.algorithm, pem=key.private_pem)
