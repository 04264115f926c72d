"""The shared level behind the cache, in a real Redis: the same rules, and never in the way."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import structlog
from structlog.testing import LogCapture

from catalogsvc.authz import AuthClient, Decision, Reason, Source
from catalogsvc.authz.feed import Change
from catalogsvc.authz.model import Row
from catalogsvc.authz.second_level import SecondLevel, _key, open_redis
from catalogsvc.authz.transport import AsOf
from tests.contract.authz.broken_servers import black_hole
from tests.redis_server import RedisServer
from tests.redis_server import open_redis as open_server
from tests.unit.catalogsvc.authz.scripted import (
    ScriptedAuth,
    SkewedClock,
    lease,
    open_scripted,
    row,
)

BOUND_S = 5.0
WALL_NOW = 3e9
YES = Decision(reason=Reason.ALLOWED, source=Source.CACHE, local_name="Centro", revision=7)
NO = Decision(reason=Reason.NOT_ASSIGNED, source=Source.CACHE, revision=7)


class Level:
    """A second level with a clock of its own, and what it said."""

    def __init__(self, url: str) -> None:
        self.now = 100.0
        self.wall_now = WALL_NOW
        self.log = LogCapture()
        self.redis = open_redis(url)
        self.level = SecondLevel(
            self.redis,
            ttl_allowed_s=30.0,
            ttl_denied_s=5.0,
            clock=lambda: self.now,
            wall_clock=lambda: self.wall_now,
            log=structlog.wrap_logger(
                structlog.PrintLogger(),
                processors=[self.log],
                wrapper_class=structlog.make_filtering_bound_logger(0),
            ),
        )

    async def find(self, *rows: Row, database_id: str = "db") -> list[Decision | None]:
        found = await self.level.find(rows, database_id=database_id)
        return [None if one is None else one.decision for one in found]

    async def keep(self, *kept: tuple[Row, Decision], database_id: str = "db") -> None:
        await self.level.keep(kept, database_id=database_id, asked_at=self.now)

    @property
    def events(self) -> list[str]:
        return [entry["event"] for entry in self.log.entries]


@pytest.fixture
async def server() -> AsyncIterator[RedisServer]:
    async with open_server() as server:
        yield server


@pytest.fixture
async def level(server: RedisServer) -> AsyncIterator[Level]:
    level = Level(server.url)
    yield level
    await level.level.close()


async def test_what_was_kept_is_found_a_whole_batch_at_a_time(level: Level) -> None:
    await level.keep((row(0), YES), (row(1), NO))

    assert await level.find(row(1), row(2), row(0)) == [NO, None, YES]
    assert (level.level.hits, level.level.misses, level.level.failures) == (2, 1, 0)


async def test_what_is_kept_leaves_by_itself(level: Level) -> None:
    await level.keep((row(0), YES), (row(1), NO))

    lives = [await level.redis.client.pttl(_key(row(number), "db")) for number in (0, 1)]

    assert 25_000 < lives[0] <= 30_000
    assert 0 < lives[1] <= 5_000


async def test_another_database_has_keys_of_its_own(level: Level) -> None:
    await level.keep((row(0), YES))

    assert await level.find(row(0), database_id="other") == [None]


async def test_no_two_rows_have_one_key() -> None:
    keys = {_key(row, "db") for row in (("a", "b", "c"), ("ab", "c", ""), ("a", "bc", ""))}

    assert len(keys) == 3


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xc1",
        b"true",
        msgspec.msgpack.encode(True),
        msgspec.msgpack.encode([row(0), "ALLOWED", "Centro"]),
        msgspec.msgpack.encode([row(0), "ALLOWED", "Centro", 7]),
        msgspec.msgpack.encode([row(0), "ALLOWED", "Centro", 7, None]),
        msgspec.msgpack.encode([row(0), "ALLOWED", "Centro", 7, "3e9"]),
        msgspec.msgpack.encode([row(0), "ALLOWED", "Centro", 7, float("nan")]),
        msgspec.msgpack.encode([row(0), "ALLOWED", "Centro", 7, WALL_NOW + 0.1]),
        msgspec.msgpack.encode([row(0), "ALLOWED", "Centro", 7, float("inf")]),
        msgspec.msgpack.encode([row(0), "ALLOWED", "Centro", 0, WALL_NOW]),
        msgspec.msgpack.encode([row(0), "ALLOWED", "Centro", "7", WALL_NOW]),
        msgspec.msgpack.encode([row(0), "ALLOWED", 5, 7, WALL_NOW]),
        msgspec.msgpack.encode([row(0), "allowed", "Centro", 7, WALL_NOW]),
        msgspec.msgpack.encode([row(0), "NOT_ASSIGNED", "Centro", 7, WALL_NOW]),
        msgspec.msgpack.encode([row(1), "ALLOWED", "Centro", 7, WALL_NOW]),
        b"\x91" * 100_000,
    ],
)
async def test_anything_odd_is_a_miss(level: Level, value: bytes) -> None:
    await level.redis.client.set(_key(row(0), "db"), value)

    assert await level.find(row(0)) == [None]


async def test_its_age_is_kept_by_the_wall_clock_whatever_clock_the_reader_has(
    level: Level, server: RedisServer
) -> None:
    await level.level.keep([(row(0), YES)], database_id="db", asked_at=level.now - 1.5)
    reader = Level(server.url)
    reader.now, reader.wall_now = 5_000.0, WALL_NOW + 20.0

    (found,) = await reader.level.find([row(0)], database_id="db")
    await reader.level.close()

    assert found is not None
    assert found.asked_at == pytest.approx(5_000.0 - 21.5)


async def test_a_value_of_another_kind_is_a_failure_and_no_answer(level: Level) -> None:
    await level.redis.client.lpush(_key(row(0), "db"), "x")

    assert await level.find(row(0)) == [None]


async def test_down_it_is_left_alone_for_a_while_and_says_so_once_each_way(
    level: Level, server: RedisServer
) -> None:
    await level.keep((row(0), YES))
    await server.stop()
    for _ in range(3):
        assert await level.find(row(0)) == [None]
        await level.keep((row(1), NO))
    assert level.level.failures == 1
    level.now += 5.0
    assert await level.find(row(0)) == [None]
    assert level.level.failures == 2

    await server.start()
    level.now += 5.0
    await level.keep((row(0), YES))

    assert await level.find(row(0)) == [YES]
    assert level.events == ["auth_second_level_lost", "auth_second_level_back"]


class Broken:
    """Fails as no Redis should."""

    async def multi_get(self, _: object) -> list[object]:
        raise LookupError("a bug")

    async def multi_set(self, _: object, **__: object) -> None:
        raise LookupError("a bug")


async def test_whatever_goes_wrong_in_it_is_no_more_than_a_miss_and_is_said_once() -> None:
    level = Level("redis://127.0.0.1:1")
    level.level._cache = Broken()

    assert await level.find(row(0)) == [None]
    level.now += 5.0
    await level.keep((row(0), YES))

    assert level.level.failures == 2
    assert level.events == ["auth_second_level_lost"]


async def test_a_silent_one_costs_little_time() -> None:
    async with black_hole() as silent:
        level = Level(f"redis://{silent}")
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await level.find(row(0)) == [None]
        assert await level.find(row(0)) == [None]
        took_s = loop.time() - began
        await level.level.close()

    assert took_s < 1.0
    assert level.level.failures == 1


async def test_a_caller_that_leaves_says_nothing_about_it(level: Level) -> None:
    finding = asyncio.create_task(level.find(row(0)))
    await asyncio.sleep(0)
    finding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await finding

    await level.keep((row(0), YES))
    assert await level.find(row(0)) == [YES]
    assert level.level.failures == 0


async def test_after_a_reset_nothing_of_before_is_believed(level: Level) -> None:
    await level.keep((row(0), YES))
    level.level.pause()

    assert await level.find(row(0)) == [None]
    await level.keep((row(1), NO))
    level.now += 60.0
    assert await level.find(row(0), row(1)) == [YES, None]


async def test_more_writes_than_it_can_take_are_left_out(level: Level) -> None:
    await asyncio.gather(*(level.keep((row(number), NO)) for number in range(20)))

    found = await level.find(*(row(number) for number in range(20)))

    assert 0 < sum(decision is not None for decision in found) < 20


def test_the_place_is_read_from_the_url() -> None:
    cache = open_redis("rediss://us%40er:p%2Fw@cache:6380/3")

    values = cache.client.connection_pool.connection_kwargs
    assert (values["host"], values["port"], values["db"]) == ("cache", 6380, 3)
    assert (values["username"], values["password"]) == ("us@er", "p/w")


# Behind a client.


@pytest.fixture
def auth() -> ScriptedAuth:
    auth = ScriptedAuth(allowed={row(0)})
    auth.gate.set()
    return auth


async def ask(client: AuthClient, number: int = 0) -> Decision:
    user_id, organization_id, local_id = row(number)
    return await client.validate_local(
        user_id=user_id, organization_id=organization_id, local_id=local_id
    )


async def settled(client: AuthClient) -> None:
    """Its writes go on after the callers have been told."""
    async with asyncio.timeout(BOUND_S):
        while client._checks._tasks:  # noqa: ASYNC110 # no event says it, and none should
            await asyncio.sleep(0.001)


async def test_what_one_client_asked_another_one_finds(
    auth: ScriptedAuth, server: RedisServer
) -> None:
    async with (
        open_scripted(auth, cache_url=server.url) as first,
        open_scripted(auth, cache_url=server.url) as second,
    ):
        lease(first)
        lease(second)
        assert await ask(first)
        await settled(first)
        decision = await ask(second)
        again = await ask(second)
        counts = second.snapshot().second_level

    assert decision == again == YES
    assert auth.asked == 1
    assert (counts.hits, counts.misses, counts.failures) == (1, 0, 0)


@pytest.mark.parametrize(
    "known",
    [
        {"revision": 8, "changes": (Change(8, "o", "u0", "l"),), "after": 7, "is_reset": True},
        {"revision": 6},
        {"database_id": "other"},
    ],
    ids=["changed since", "of a future that is not ours", "of another database"],
)
async def test_what_the_store_rule_forbids_is_asked_on_the_wire(
    auth: ScriptedAuth, server: RedisServer, known: dict[str, object]
) -> None:
    async with (
        open_scripted(auth, cache_url=server.url) as first,
        open_scripted(auth, cache_url=server.url) as second,
    ):
        lease(first)
        lease(second, **known)  # type: ignore[arg-type] # whatever a page has
        await ask(first)
        await settled(first)

        assert (await ask(second)).source is Source.GRPC


async def test_it_is_not_used_without_the_lease(auth: ScriptedAuth, server: RedisServer) -> None:
    clock = SkewedClock()
    async with open_scripted(auth, cache_url=server.url, lease_clock=clock) as client:
        lease(client)
        await ask(client)
        await settled(client)
        clock.skew_s += 2.0

        assert (await ask(client)).source is Source.GRPC


async def test_what_is_found_lives_no_longer_for_it(
    auth: ScriptedAuth, server: RedisServer
) -> None:
    clock, late = SkewedClock(), SkewedClock()

    def wall_clock() -> float:
        return WALL_NOW + late()

    async with (
        open_scripted(auth, cache_url=server.url, wall_clock=wall_clock) as first,
        open_scripted(
            auth, cache_url=server.url, wall_clock=wall_clock, lease_clock=clock
        ) as second,
    ):
        lease(first)
        await ask(first)
        await settled(first)
        late.skew_s = clock.skew_s = 25.0
        lease(second)
        assert (await ask(second)).source is Source.CACHE
        clock.skew_s = 40.0
        late.skew_s = 40.0
        lease(second)

        assert (await ask(second)).source is Source.GRPC


async def test_what_is_too_old_by_its_own_time_is_asked_on_the_wire(
    auth: ScriptedAuth, server: RedisServer
) -> None:
    async with (
        open_scripted(auth, cache_url=server.url) as first,
        open_scripted(auth, cache_url=server.url, wall_clock=lambda: 3e9 + 40.0) as second,
    ):
        lease(first)
        lease(second)
        await ask(first)
        await settled(first)

        assert (await ask(second)).source is Source.GRPC


async def test_what_may_not_be_kept_is_not_written(auth: ScriptedAuth, server: RedisServer) -> None:
    auth.as_of = AsOf()
    async with open_scripted(auth, cache_url=server.url) as client:
        lease(client)
        await ask(client)
        await settled(client)

    level = Level(server.url)
    assert await level.redis.client.dbsize() == 0
    await level.level.close()


async def test_down_it_is_slower_and_not_wrong(auth: ScriptedAuth, server: RedisServer) -> None:
    await server.stop()
    async with open_scripted(auth, cache_url=server.url) as client:
        lease(client)
        decisions = [await ask(client, number) for number in range(3)]
        counts = client.snapshot().second_level

    assert [decision.source for decision in decisions] == [Source.GRPC] * 3
    assert counts.failures == 1
