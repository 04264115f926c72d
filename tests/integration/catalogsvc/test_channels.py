"""A channel that is closed while it connects leaves no connection behind."""

import asyncio

import pytest

from catalogsvc.authz.channels import open_channel
from catalogsvc.authz.grpc_transport import open_codec
from svckit.address import Address


async def test_a_channel_that_is_closed_while_it_connects_is_closed() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = open_channel(Address("127.0.0.1", port), codec=open_codec())
    connecting = asyncio.create_task(channel.__connect__())
    await asyncio.sleep(0)

    channel.close()

    with pytest.raises(ConnectionAbortedError):
        await connecting
    assert channel._protocol is None
    server.close()
