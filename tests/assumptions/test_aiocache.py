"""What the second level leans on in aiocache, and why the first level is not of it."""

import pytest
from aiocache import SimpleMemoryCache


async def test_a_timeout_of_none_starts_no_timer() -> None:
    cache = SimpleMemoryCache(timeout=None)

    assert cache.timeout is None
    coroutine = cache.get("key")
    with pytest.raises(StopIteration):  # it never suspends
        coroutine.send(None)


async def test_the_stock_memory_backend_has_no_bound() -> None:
    cache = SimpleMemoryCache()
    for number in range(10_000):
        await cache.set(str(number), number)

    assert len(cache._cache) == 10_000
