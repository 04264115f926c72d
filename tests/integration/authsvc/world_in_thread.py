"""A world with a loop of its own, for whoever waits for answers without one."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from tests.integration.authsvc.admin_world import World, open_world

__all__ = ["world_in_thread"]

BOUND_S = 30.0


@contextmanager
def world_in_thread(folder: Path) -> Iterator[World]:
    opened: Future[tuple[World, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        done = asyncio.Event()
        async with open_world(f"sqlite+aiosqlite:///{folder}/auth.db") as world:
            opened.set_result((world, asyncio.get_running_loop(), done))
            await done.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    world, loop, done = opened.result(BOUND_S)
    yield world
    loop.call_soon_threadsafe(done.set)
    thread.join(BOUND_S)
