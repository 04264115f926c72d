"""Servers of a few lines that stand in for Auth where a test needs it slow, silent or garbled."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

__all__ = ["rest_saying", "silent", "refusing"]


@asynccontextmanager
async def rest_saying(body: bytes | None = None, *, delay_s: float = 0.0) -> AsyncIterator[str]:
    """Yields "http://host:port", where each question gets this body, or a yes for each row."""

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                asked = await reader.readexactly(_content_length(head))
                await asyncio.sleep(delay_s)
                said = _yes(asked) if body is None else body
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(said)}\r\n\r\n".encode())
                writer.write(said)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            writer.close()

    server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def _content_length(head: bytes) -> int:
    match = re.search(rb"(?i)content-length: (\d+)", head)
    return int(match[1]) if match else 0


def _yes(asked: bytes) -> bytes:
    rows = len(json.loads(asked)["user_ids"])
    said = {
        "reasons": ["ALLOWED"] * rows,
        "local_names": ["Centro"] * rows,
        "revision": 1,
        "age_ms": 0,
        "database_id": "db",
    }
    return json.dumps(said).encode()


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
