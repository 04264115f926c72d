"""DATA frames of open streams, read and written past h2's state machines, at a tenth of the cost.

Only what is certain to be right takes this way: whole frames without flags, on a stream that is
open in that direction, within all windows and sizes. Everything else is h2's to judge. h2's counts
are kept, so either way may follow the other. Looks into h2, which is why its version is pinned.
"""

# ruff: noqa: SLF001 # h2's counts have no public way in

from collections.abc import Mapping

from grpclib.protocol import Stream
from h2.connection import ConnectionState, H2Connection
from h2.stream import H2Stream, StreamState

__all__ = ["take_data", "data_frames"]

HEADER_BYTES = 9
WORKING = (ConnectionState.CLIENT_OPEN, ConnectionState.SERVER_OPEN)
RECEIVING = (StreamState.OPEN, StreamState.HALF_CLOSED_LOCAL)
SENDING = (StreamState.OPEN, StreamState.HALF_CLOSED_REMOTE)


def take_data(h2: H2Connection, data: bytes, streams: Mapping[int, Stream]) -> bytes:
    """Gives the streams what the frames that `data` begins with hold; the rest is h2's to read."""
    incoming = h2.incoming_buffer
    if incoming._data or incoming._headers_buffer or h2.state_machine.state not in WORKING:
        return data
    at, end = 0, len(data)
    while end - at > HEADER_BYTES:
        body = at + HEADER_BYTES
        header = int.from_bytes(data[at:body])
        size = header >> 48
        # Type and flags are both 0; the highest bit of the stream's id is reserved.
        if header >> 32 & 0xFFFF or body + size > end:
            break
        stream_id = header & 0x7FFF_FFFF
        stream, receiver = h2.streams.get(stream_id), streams.get(stream_id)
        if stream is None or receiver is None or not _may_receive(h2, stream, size):
            break
        h2._inbound_flow_control_window_manager.current_window_size -= size
        stream._inbound_window_manager.current_window_size -= size
        at = body + size
        receiver.buffer.add(data[body:at], size)
    return data[at:] if at else data


def _may_receive(h2: H2Connection, stream: H2Stream, size: int) -> bool:
    return (
        stream.state_machine.state in RECEIVING
        # A response has to begin before its DATA.
        and stream.state_machine.headers_received is True
        and stream._expected_content_length is None
        and 0 < size <= h2.max_inbound_frame_size
        and size <= h2._inbound_flow_control_window_manager.current_window_size
        and size <= stream._inbound_window_manager.current_window_size
    )


def data_frames(h2: H2Connection, stream_id: int, data: bytes) -> bytes | None:
    """What to write to send all of `data` now, after what h2 still has to send; None: not now."""
    stream = h2.streams.get(stream_id)
    size = len(data)
    if (
        stream is None
        or stream.state_machine.state not in SENDING
        or h2.state_machine.state not in WORKING
        or not 0 < size <= h2.outbound_flow_control_window
        or size > stream.outbound_flow_control_window
    ):
        return None
    h2.outbound_flow_control_window -= size
    stream.outbound_flow_control_window -= size
    frame_bytes_max = h2.max_outbound_frame_size
    parts = [h2.data_to_send()] if h2._data_to_send else []
    for at in range(0, size, frame_bytes_max):
        part = data[at : at + frame_bytes_max]
        parts += ((len(part) << 48 | stream_id).to_bytes(HEADER_BYTES), part)
    return b"".join(parts)
