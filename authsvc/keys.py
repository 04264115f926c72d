"""The signing keys in use: kept parsed, and never for longer than it is certain that they are good.

What is kept is used while the lease on the database holds and nothing was said to be forgotten:
withdrawing a key makes everyone forget everything, and so reaches all that stands on a key here.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping

from authsvc.freshness import Freshness
from authsvc.key_pairs import PrivateKey, PublicKey
from authsvc.key_schedule import signing_key
from authsvc.key_sealing import unseal
from authsvc.store import Store, StoredKey

__all__ = ["Keys", "KEPT_S"]

# An unknown key id makes us look into the store, but no oftener: ids are the caller's to invent.
RELOAD_INTERVAL_S = 1.0
# A new key is published for long enough that whoever looks this often knows it in time.
KEPT_S = 30.0


class Keys:
    """`clock` is the lease's, `wall_clock` gives seconds since 1970.

    A key that another process added is found within RELOAD_INTERVAL_S of the first token of it.
    """

    def __init__(
        self,
        store: Store,
        *,
        freshness: Freshness,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        secret: str | None = None,
        kept_s: float = KEPT_S,
    ) -> None:
        self._store = store
        self._freshness = freshness
        self._clock = clock
        self._wall_clock = wall_clock
        self._secret = secret
        self._kept_s = kept_s
        self._stored: tuple[StoredKey, ...] = ()
        self._public: Mapping[str, PublicKey] = {}
        self._private: dict[str, PrivateKey] = {}
        # Reads are numbered in their order; `done` is the newest that brought an answer.
        self._started = 0
        self._done = 0
        self._read_at = float("-inf")
        self._generation = -1
        self._reading = asyncio.Lock()

    async def signing(self) -> PrivateKey:
        """The key whose turn it is. Raises AssertionError before there is one, and WrongSecret."""
        await self._refresh(self._kept_s)
        stored = signing_key(self._stored, self._wall_clock())
        assert stored is not None, "no signing key was ever made"
        if stored.kid not in self._private:
            # Opening it is slow by design. Two who do it at once do no harm.
            opened = await asyncio.to_thread(_opened, stored, self._secret)
            self._private[stored.kid] = opened
            return opened
        return self._private[stored.kid]

    async def verifying(self, kid: str) -> Mapping[str, PublicKey]:
        """All public keys; `kid` is among them only if it was not withdrawn before this call."""
        if kid in self._public:
            await self._refresh(self._kept_s)
        elif not self._is_kept(RELOAD_INTERVAL_S):
            await self._refresh(RELOAD_INTERVAL_S)
        return self._public

    async def published(self) -> Collection[PublicKey]:
        """Those that verify, now or soon."""
        await self._refresh(self._kept_s)
        return self._public.values()

    def _is_kept(self, age_s: float) -> bool:
        """Read within that time, and nothing was to be forgotten since the read began."""
        return (
            self._generation == self._freshness.position().generation
            and self._clock() < self._read_at + age_s
        )

    def _is_current(self, age_s: float) -> bool:
        return self._freshness.is_leased(self._clock()) and self._is_kept(age_s)

    async def _refresh(self, age_s: float) -> None:
        if self._is_current(age_s):
            return
        asked = self._started
        # Whoever comes during a read waits for it: "unknown" before its end would be a lie. But
        # without a lease what it found may be older than their question: they need the next one.
        async with self._reading:
            if not self._is_current(age_s) and self._done <= asked:
                await self._read()

    async def _read(self) -> None:
        self._started += 1
        number, read_at = self._started, self._clock()
        generation = self._freshness.position().generation
        stored = await self._store.signing_keys()
        public = {
            key.kid: PublicKey.from_pem(kid=key.kid, algorithm=key.algorithm, pem=key.public_key)
            for key in stored
        }
        # Only now: a read that failed must not make every key unknown for a while.
        self._stored, self._public = stored, public
        self._private = {kid: key for kid, key in self._private.items() if kid in public}
        self._done, self._read_at, self._generation = number, read_at, generation


def _opened(key: StoredKey, secret: str | None) -> PrivateKey:
    pem = unseal(key.private_key, kid=key.kid, secret=secret)
    return PrivateKey.from_pem(kid=key.kid, algorithm=key.algorithm, pem=pem)
