"""What both sides lean on in grpclib's connections and streams, so that an upgrade fails here."""

import asyncio
import inspect
import re
from importlib.metadata import version
from unittest.mock import Mock

from grpclib import client, protocol, server, stream
from grpclib.config import Configuration
from grpclib.protocol import Connection, EventsProcessor, H2Protocol, Stream
from grpclib.stream import recv_message
from h2.config import H2Configuration
from h2.connection import H2Connection

from svckit.messages import Messages


def test_the_version_is_the_one_that_was_looked_into() -> None:
    assert version("grpclib") == "0.4.9"


def test_of_its_buffer_grpclib_uses_what_messages_have_and_a_read_that_ours_replaces() -> None:
    sources = [inspect.getsource(module) for module in (client, protocol, server, stream)]
    used = set(re.findall(r"\.buffer\.(\w+)", "".join(sources)))

    assert used == {"add", "eof", "unacked_size", "read"}
    assert used - {"read"} <= set(dir(Messages))
    assert ".buffer.read(" in inspect.getsource(Stream.recv_data)
    assert "".join(sources).count(".buffer.read(") == 1


def test_its_buffer_is_made_where_we_make_ours() -> None:
    sources = "".join(inspect.getsource(module) for module in (client, protocol, server, stream))

    assert re.findall(r"\bBuffer\(", sources) == ["Buffer("]
    assert "Buffer(" in inspect.getsource(Stream.init_stream)


def test_a_message_is_read_as_prefix_and_body() -> None:
    source = inspect.getsource(recv_message)

    assert source.count("await stream.recv_data(") == 2
    assert source.index("recv_data(5)") < source.index("recv_data(message_len)")


def test_what_we_override_or_call_is_still_there() -> None:
    signatures: list[tuple[type, str, list[str]]] = [
        (Stream, "init_stream", ["self", "stream_id", "connection"]),
        (Stream, "recv_data", ["self", "size"]),
        (Stream, "send_data", ["self", "data", "end_stream"]),
        (Connection, "create_stream", ["self", "stream_id", "wrapper"]),
        (Connection, "ack", ["self", "stream_id", "size"]),
        (H2Protocol, "connection_made", ["self", "transport"]),
        (H2Protocol, "data_received", ["self", "data"]),
    ]
    for owner, name, parameters in signatures:
        assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


async def test_the_class_of_a_connection_may_be_replaced_and_all_keep_it() -> None:
    class Ours(Connection):
        """Adds methods and no state."""

    made = H2Protocol(Mock(), Configuration().__for_server__(), H2Configuration(client_side=False))
    made.connection_made(Mock(spec=asyncio.Transport))
    connection = made.connection

    connection.__class__ = Ours

    assert not hasattr(Connection, "__slots__")
    assert isinstance(made.connection, Ours)
    assert made.processor.connection is connection
    # Whatever makes a stream asks the connection for one.
    made_by = re.findall(r"(?<![\w.])Stream\(self,", inspect.getsource(protocol))
    assert made_by == re.findall(r"Stream\(self,", inspect.getsource(Connection.create_stream))
    assert "create_stream(" in inspect.getsource(client.Stream.send_request)


async def test_connections_and_streams_have_what_the_short_way_asks_for() -> None:
    made = H2Protocol(Mock(), Configuration().__for_server__(), H2Configuration(client_side=False))
    made.connection_made(transport := Mock(spec=asyncio.Transport))
    one = made.connection.create_stream(stream_id=1)

    assert isinstance(made.connection._connection, H2Connection)
    assert one._h2_connection is made.connection._connection
    assert one._transport is transport
    assert made.connection.write_ready.is_set()
    made.pause_writing()
    assert not made.connection.write_ready.is_set()
    made.processor.register(one)
    assert made.processor.streams == {1: one}


def test_data_is_given_to_the_stream_and_counted_and_nothing_else() -> None:
    # The counts are grpclib's statistics, which we do not read.
    lines = inspect.getsource(EventsProcessor.process_data_received).splitlines()

    statements = [line.strip() for line in lines if re.search(r"\+=|= |\.\w+\(", line)]
    assert statements == [
        "size = len(event.data)",
        "stream = self.streams.get(event.stream_id)",
        "stream.buffer.add(",
        "stream.data_received += size",
        "self.connection.ack(",
        "self.connection.data_received += size",
        "self.connection.last_data_received = time.monotonic()",
    ]


async def test_a_stream_that_is_over_is_not_closable() -> None:
    made = H2Protocol(Mock(), Configuration().__for_server__(), H2Configuration(client_side=False))
    made.connection_made(transport := Mock(spec=asyncio.Transport))
    transport.is_closing.return_value = False
    one = made.connection.create_stream(stream_id=1)

    assert not one.closable, "h2 knows no such stream"
    made.connection._connection.close_connection()
    assert not one.closable
