"""A level of decisions behind the one in this process, shared by all who use the same Redis.

What it holds is used under the same lease and store rule as our own, so it is as fresh; but it is
believed: whoever may write to that Redis may let anyone in. Down or slow, it is left alone for a
while: slower, not wrong.
"""

import asyncio
import hashlib
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec
from aiocache import RedisCache
from aiocache.serializers import NullSerializer
from structlog.typing import FilteringBoundLogger

from catalogsvc.authz.breaker import Breaker, Refusal
from catalogsvc.authz.call import Clock
from catalogsvc.authz.model import Decision, Reason, Row, Source

__all__ = ["Found", "SecondLevel", "open_redis"]

A = TypeVar("A")

# The version of what is written: another one is another key, so old and new never meet.
PREFIX = "portero:2"
TIMEOUT_S = 0.05
COOLDOWN_S = 5.0
# Batches whose decisions are being written; beyond it they are not.
WRITES_MAX = 4


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """The row is in it too: a reply that belongs to another question must not decide this one."""

    row: Row
    reason: Reason
    local_name: str
    revision: Annotated[int, msgspec.Meta(ge=1)]
    asked_at: float  # in seconds since 1970: the one clock that processes share


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A decision as from the cache, and when it was asked for, on our own clock."""

    decision: Decision
    asked_at: float


def open_redis(url: str) -> RedisCache:
    """`url` is redis(s)://[user:password@]host[:port][/db]. Connects to nothing yet."""
    parts = urlsplit(url)
    return RedisCache(
        serializer=NullSerializer(encoding=None),
        endpoint=parts.hostname,
        port=parts.port or 6379,
        db=int(parts.path.strip("/") or 0),
        password=unquote(parts.password) if parts.password else None,
        ssl=parts.scheme == "rediss",
        connection_pool_kwargs={"username": unquote(parts.username) if parts.username else None},
        # Each command is bounded here, for less than aiocache's own timeout costs.
        timeout=None,
    )


class SecondLevel:
    """Counts what it was asked for (`hits`, `misses`) and how often it failed (`failures`).

    `wall_clock` tells the age of what another process has kept: by as much as its clock and ours
    are apart, that may be wrong.
    """

    def __init__(
        self,
        cache: RedisCache,
        *,
        ttl_allowed_s: float,
        ttl_denied_s: float,
        clock: Clock,
        wall_clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._cache = cache
        self._ttl_allowed_s = ttl_allowed_s
        self._ttl_denied_s = ttl_denied_s
        self._clock = clock
        self._wall_clock = wall_clock
        self._log = log
        self._breaker = Breaker(failures_max=1, cooldown_s=COOLDOWN_S)
        self._paused_until = float("-inf")
        self._writes = 0
        self._is_up = True
        self.hits = 0
        self.misses = 0
        self.failures = 0

    def pause(self) -> None:
        """Until what others may have written by now is gone.

        After a reset revisions may count anew, as when a backup was restored, and a decision of the
        undone time would look like one of ours.
        """
        longest_s = max(self._ttl_allowed_s, self._ttl_denied_s)
        self._paused_until = self._clock() + 2 * longest_s

    async def find(self, rows: Sequence[Row], *, database_id: str) -> Sequence[Found | None]:
        """One for each row; None where it has none, or anything odd."""
        found: Sequence[Found | None] | None = None
        if self._clock() >= self._paused_until:
            found = await self._run(self._read(rows, database_id))
        if found is None:
            found = [None] * len(rows)
        hits = sum(one is not None for one in found)
        self.hits += hits
        self.misses += len(rows) - hits
        return found

    async def keep(
        self, kept: Sequence[tuple[Row, Decision]], *, database_id: str, asked_at: float
    ) -> None:
        """Writes what the store rule allowed to be kept, if there is time for it."""
        if self._writes >= WRITES_MAX or self._clock() < self._paused_until:
            return
        self._writes += 1
        try:
            await self._run(self._write(kept, database_id, asked_at))
        finally:
            self._writes -= 1

    async def close(self) -> None:
        await self._cache.client.aclose()

    async def _read(self, rows: Sequence[Row], database_id: str) -> Sequence[Found | None] | None:
        values = await self._cache.multi_get([_key(row, database_id) for row in rows])
        if not isinstance(values, list) or len(values) != len(rows):
            return None
        now, wall_now = self._clock(), self._wall_clock()
        found: list[Found | None] = []
        for row, value in zip(rows, values, strict=True):
            kept = _read_kept(value, row)
            age_s = -1.0 if kept is None else wall_now - kept.asked_at
            # What comes from the future has an age that nobody knows; and no comparison holds for
            # what is not a number.
            if kept is None or not age_s >= 0:
                found.append(None)
            else:
                found.append(Found(decision=_decision(kept), asked_at=now - age_s))
        return found

    async def _write(
        self, kept: Sequence[tuple[Row, Decision]], database_id: str, asked_at: float
    ) -> None:
        wall_asked_at = self._wall_clock() - (self._clock() - asked_at)
        for is_yes, ttl_s in ((True, self._ttl_allowed_s), (False, self._ttl_denied_s)):
            pairs = [
                (_key(row, database_id), _write_kept(row, decision, wall_asked_at))
                for row, decision in kept
                if decision.is_valid is is_yes
            ]
            if pairs:
                await self._cache.multi_set(pairs, ttl=float(ttl_s))

    async def _run(self, command: Coroutine[None, None, A]) -> A | None:
        """None when it failed, or when the level is left alone."""
        permit = self._breaker.admit(self._clock())
        if isinstance(permit, Refusal):
            command.close()
            return None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer = await command
        except Exception as exc:  # noqa: BLE001 # whatever is wrong with it: slower, not wrong
            self.failures += 1
            self._breaker.failed(permit, self._clock())
            self._say(is_up=False, error=type(exc).__name__)
            return None
        except BaseException:
            self._breaker.abandoned(permit, self._clock())
            raise
        self._breaker.succeeded(permit)
        self._say(is_up=True)
        return answer

    def _say(self, *, is_up: bool, **facts: str) -> None:
        if is_up is not self._is_up:
            self._is_up = is_up
            event = "auth_second_level_back" if is_up else "auth_second_level_lost"
            self._log.warning(event, **facts)


def _key(row: Row, database_id: str) -> str:
    # Hashed with the lengths of its parts: no two rows can be written alike.
    return f"{PREFIX}:{database_id}:{hashlib.sha256(msgspec.msgpack.encode(row)).hexdigest()}"


def _write_kept(row: Row, decision: Decision, asked_at: float) -> bytes:
    return msgspec.msgpack.encode(
        _Kept(row, decision.reason, decision.local_name, decision.revision, asked_at)
    )


def _read_kept(value: object, row: Row) -> _Kept | None:
    if not isinstance(value, bytes):
        return None
    try:
        kept = msgspec.msgpack.decode(value, type=_Kept)
    except (ValueError, RecursionError):
        return None
    if kept.row != row or (kept.local_name and kept.reason is not Reason.ALLOWED):
        return None
    return kept


def _decision(kept: _Kept) -> Decision:
    return Decision(
        reason=kept.reason,
        source=Source.CACHE,
        local_name=kept.local_name,
        revision=kept.revision,
    )
