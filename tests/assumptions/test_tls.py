"""What we lean on in asyncio, uvloop and hypercorn for certificates that are renewed in flight."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import hypercorn.asyncio.run
import pytest
import uvloop
from hypercorn.asyncio.tcp_server import TCPServer

from tests.certificates import Authority

Run = Callable[[Coroutine[Any, Any, None]], None]


class Delegate(ssl.SSLContext):
    """Has nothing of a context but `wrap_bio`."""

    def __new__(cls, *_: Any) -> "Delegate":
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, real: ssl.SSLContext) -> None:
        self.real = real
        self.asked = 0

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        self.asked += 1
        return self.real.wrap_bio(*args, **kwargs)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_both_loops_ask_a_context_for_nothing_but_wrap_bio_once_a_connection(
    tmp_path: Path, run: Run
) -> None:
    authority = Authority(tmp_path)
    pem = authority.issue(ips=["127.0.0.1"])
    real = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.path))
    real.load_cert_chain(pem.cert, pem.key)
    real.verify_mode = ssl.CERT_OPTIONAL
    believing = ssl.create_default_context(cafile=str(authority.path))
    believing.load_cert_chain(pem.cert, pem.key)
    server_side, client_side = Delegate(real), Delegate(believing)
    seen: list[object] = []

    async def main() -> None:
        async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # What the gate reads: parsed once, when the handshake is over.
            seen.append(writer.get_extra_info("peercert"))
            writer.write(b"hello")
            writer.close()

        server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server_side)
        port = server.sockets[0].getsockname()[1]
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side)
            assert await reader.read() == b"hello"
            writer.close()
        server.close()

    run(main())

    assert (server_side.asked, client_side.asked) == (2, 2)
    assert [name for peer in seen for name in peer["subjectAltName"]] == [  # type: ignore[index] # the loops type it as anything
        ("IP Address", "127.0.0.1")
    ] * 2


def test_hypercorn_takes_its_connections_from_the_name_that_we_replace() -> None:
    import svckit.http_server as ours  # the import is what replaces it

    replaced = vars(hypercorn.asyncio.run)["TCPServer"]

    assert replaced is not TCPServer
    assert issubclass(replaced, TCPServer)
    assert replaced.__module__ == ours.__name__
