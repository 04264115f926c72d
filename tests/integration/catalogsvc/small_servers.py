"""Servers of a few lines that stand in for Auth where a test needs it slow, silent or garbled."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

__all__ = ["YES", "rest_saying", "silent", "refusing"]

YES = b'{"is_valid": true, "local_name": "Centro", "reason": "ALLOWED"}'


@asynccontextmanager
async def rest_saying(body: bytes = YES, *, delay_s: float = 0.0) -> AsyncIterator[str]:
    """Yields "http://host:port", where each request gets this body."""

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n"
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(delay_s)
                writer.write(head.encode() + body)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            writer.close()

    server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@contextmanager
def silent() -> Iterator[str]:
    """Yields "host:port", where the system accepts and nobody reads or answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def refusing() -> Iterator[str]:
    """Yields "host:port", which is taken, but nobody listens there."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{holder.getsockname()[1]}"
