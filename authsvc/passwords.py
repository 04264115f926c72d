"""Password hashes: argon2id, in a thread of their own, so that the event loop goes on.

Whoever comes takes a place first. There are few, so a flood of logins is refused at once instead of
making everyone wait, and it costs one thread and its memory.
"""

import asyncio
import os
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from authsvc.places import Places

__all__ = ["PasswordCost", "Passwords"]

# A second one makes few logins more, and checks wait for it: both share the processors.
WORKERS = 1
PLACES_MAX = 16
# Or one address could keep everybody else from logging in.
PLACES_PER_NETWORK_MAX = 4
# Of the threads: a check must never wait for a login. What is idle is theirs all the same.
NICENESS = 19
SALT_BYTES = 16
HASH_BYTES = 32

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordCost:
    """Of one hash; by default what OWASP's password storage cheat sheet asks for at least.

    Always one lane: more would take the other cores from those who do not log in.
    """

    memory_kib: int = 19 * 1024
    passes: int = 2


class Passwords:
    """Takes passwords as `password_rules` makes them. Its maker closes it."""

    def __init__(self, cost: PasswordCost | None = None) -> None:
        cost = cost or PasswordCost()
        self._hasher = PasswordHasher(
            time_cost=cost.passes,
            memory_cost=cost.memory_kib,
            parallelism=1,
            hash_len=HASH_BYTES,
            salt_len=SALT_BYTES,
            type=Type.ID,
        )
        self._dummy = _unmatched(cost)
        self._places = Places(
            places_max=PLACES_MAX,
            per_network_max=PLACES_PER_NETWORK_MAX,
            refusal="too many logins at once",
        )
        self._threads = ThreadPoolExecutor(
            WORKERS, thread_name_prefix="passwords", initializer=_step_back
        )

    def place(self, network: str) -> AbstractContextManager[None]:
        """Within it the other methods may be called, one at a time. Raises Overloaded."""
        return self._places.place(network)

    async def is_match(self, stored: str | None, password: bytes) -> bool:
        """False without a stored one, after as much work as with one of today's cost."""
        return await self._run(lambda: self._verify(stored or self._dummy, password))

    def is_outdated(self, stored: str) -> bool:
        """Whether it was made at another cost than today's."""
        return self._hasher.check_needs_rehash(stored)

    async def hash(self, password: bytes) -> str:
        return await self._run(lambda: self._hasher.hash(password))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        assert self._places.taken > 0, "nobody has taken a place"
        # Cancelled, it leaves the queue; one that is running is soon done, and nobody waits for it.
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _verify(self, stored: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def _unmatched(cost: PasswordCost) -> str:
    """The hash of nothing that anybody could type, made without hashing anything."""
    salt, digest = (
        b64encode(secrets.token_bytes(size)).rstrip(b"=").decode()
        for size in (SALT_BYTES, HASH_BYTES)
    )
    return f"$argon2id$v=19$m={cost.memory_kib},t={cost.passes},p=1${salt}${digest}"


def _step_back() -> None:
    if os.uname().sysname == "Linux":  # elsewhere it would be the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
