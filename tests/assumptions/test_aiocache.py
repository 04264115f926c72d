"""What the cache of decisions leans on in aiocache, or works around in it."""

import inspect

import pytest
from aiocache import SimpleMemoryCache
from aiocache.base import BaseCache


async def test_a_timeout_of_none_starts_no_timer() -> None:
    cache = SimpleMemoryCache(timeout=None)

    assert cache.timeout is None
    coroutine = cache.get("key")
    with pytest.raises(StopIteration):  # it never suspends
        coroutine.send(None)


def test_the_methods_a_backend_fills_in_are_still_called_so() -> None:
    for name in ("_set", "_exists", "_delete", "_clear"):
        assert inspect.iscoroutinefunction(getattr(BaseCache, name))
    assert "ttl" in inspect.signature(BaseCache._set).parameters


async def test_the_stock_memory_backend_has_no_bound() -> None:
    cache = SimpleMemoryCache()
    for number in range(10_000):
        await cache.set(str(number), number)

    assert len(cache._cache) == 10_000
