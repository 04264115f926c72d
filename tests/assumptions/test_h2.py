"""What the short way of DATA looks into in h2, so that an upgrade fails here first."""

import inspect
from importlib.metadata import version
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.exceptions import ProtocolError
from h2.frame_buffer import FrameBuffer
from h2.stream import H2Stream, StreamState

REQUEST = [(":method", "POST"), (":scheme", "http"), (":path", "/a/b"), (":authority", "test")]
HEADERS_UNFINISHED = bytes.fromhex("000001 01 00 00000003 82")


def test_the_version_is_the_one_that_was_looked_into() -> None:
    assert version("h2") == "4.4.1"


def open_pair() -> tuple[H2Connection, H2Connection]:
    """A client and a server that have said hello; stream 1 is open both ways."""
    client = H2Connection(H2Configuration(client_side=True))
    server = H2Connection(H2Configuration(client_side=False))
    client.initiate_connection()
    server.initiate_connection()
    client.send_headers(1, REQUEST)
    server.receive_data(client.data_to_send())
    server.send_headers(1, [(":status", "200")])
    client.receive_data(server.data_to_send())
    server.receive_data(client.data_to_send())
    return client, server


def test_connections_that_work_are_in_these_states_and_streams_are_by_id() -> None:
    client, server = open_pair()

    assert client.state_machine.state is ConnectionState.CLIENT_OPEN
    assert server.state_machine.state is ConnectionState.SERVER_OPEN
    assert list(client.streams) == list(server.streams) == [1]
    assert client.streams[1].state_machine.state is StreamState.OPEN


def test_a_connection_that_said_goodbye_is_in_another() -> None:
    client, _ = open_pair()
    client.close_connection()

    assert client.state_machine.state is ConnectionState.CLOSED


def test_an_ended_half_is_a_state_of_the_stream() -> None:
    client, server = open_pair()
    client.end_stream(1)
    server.receive_data(client.data_to_send())

    assert client.streams[1].state_machine.state is StreamState.HALF_CLOSED_LOCAL
    assert server.streams[1].state_machine.state is StreamState.HALF_CLOSED_REMOTE


def test_data_moves_these_four_counts_and_no_others() -> None:
    client, server = open_pair()
    before = [_counts(client), _counts(server)]

    client.send_data(1, b"four")
    server.receive_data(client.data_to_send())

    changes = [
        {name: after[name] - old[name] for name in after if after[name] != old[name]}
        for old, after in zip(before, [_counts(client), _counts(server)], strict=True)
    ]
    assert changes == [
        {"h2.outbound_flow_control_window": -4, "stream.outbound_flow_control_window": -4},
        {"h2.inbound.current_window_size": -4, "stream.inbound.current_window_size": -4,
         "stream._actual_content_length": 4},
    ]  # fmt: skip


def test_the_content_that_came_is_counted_only_for_its_length() -> None:
    # So the short way need not count it where no length was said.
    used = inspect.getsource(H2Stream._track_content_length)

    assert inspect.getsource(H2Stream).count("_actual_content_length") == 1 + used.count(
        "_actual_content_length"
    )
    assert "if expected is not None:" in used


def test_a_length_that_was_said_is_the_one_expected() -> None:
    client, server = open_pair()
    client.send_headers(3, [*REQUEST, ("content-length", "7")])
    server.receive_data(client.data_to_send())

    assert server.streams[1]._expected_content_length is None
    assert server.streams[3]._expected_content_length == 7


def test_a_response_that_has_not_begun_takes_no_data() -> None:
    client, server = open_pair()
    client.send_headers(3, REQUEST)
    server.receive_data(client.data_to_send())
    server.send_data(3, b"early")

    assert client.streams[1].state_machine.headers_received is True
    assert server.streams[3].state_machine.headers_received is True
    assert not client.streams[3].state_machine.headers_received
    with pytest.raises(ProtocolError, match="before headers"):
        client.receive_data(server.data_to_send())


def test_what_is_begun_waits_in_the_incoming_buffer() -> None:
    client, server = open_pair()
    client.send_data(1, b"four")
    server.receive_data(client.data_to_send()[:-1])
    assert len(server.incoming_buffer._data) == 12

    _, server = open_pair()
    server.receive_data(HEADERS_UNFINISHED)
    assert not server.incoming_buffer._data
    assert server.incoming_buffer._headers_buffer


def test_the_buffer_keeps_nothing_else_between_two_readings() -> None:
    names = {"_data", "max_frame_size", "_preamble", "_preamble_len", "_headers_buffer"}

    assert set(vars(FrameBuffer(server=True))) == names
    _, server = open_pair()
    assert server.incoming_buffer._preamble_len == 0


def test_what_is_to_be_sent_waits_in_one_place() -> None:
    client, _ = open_pair()
    client.ping(b"portero!")

    waiting = bytes(client._data_to_send)

    assert waiting == client.data_to_send()
    assert not client._data_to_send


def test_sizes_of_frames_are_the_connections() -> None:
    client, _ = open_pair()

    assert client.max_inbound_frame_size == client.max_outbound_frame_size == 16_384


def _counts(h2: H2Connection) -> dict[str, int]:
    stream = h2.streams[1]
    owners: dict[str, Any] = {
        "h2": h2,
        "h2.inbound": h2._inbound_flow_control_window_manager,
        "stream": stream,
        "stream.inbound": stream._inbound_window_manager,
    }
    return {
        f"{owner}.{name}": value
        for owner, each in owners.items()
        for name, value in vars(each).items()
        if type(value) is int
    }
