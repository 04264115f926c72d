"""Two HTTP/2 peers and the wires between them, each step taken the short way or h2's.

Two such worlds go through the same script: one may take the short way, its twin never does.
`difference` says where they part.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

__all__ = ["Step", "difference", "STREAM_IDS"]

STREAM_IDS = (1, 3, 5)
# On this one both say how long what they send is, and h2 holds them to it.
MEASURED_ID = 5
CONTENT_LENGTH = "120"
REQUEST = (
    (":method", "POST"), (":scheme", "http"), (":path", "/a/b"), (":authority", "test")
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`name` is a method of Peer; `is_short` is for the world that may."""

    name: str
    peer: int
    arguments: tuple[Any, ...] = ()
    is_short: bool = True


class Receiver:
    """Stands in for grpclib's stream and for its buffer."""

    def __init__(self) -> None:
        self.buffer = self
        self.taken = b""
        self.unacknowledged = 0

    def add(self, data: bytes, ack_size: int) -> None:
        self.taken += data
        self.unacknowledged += ack_size


class Peer:
    """`out` is what it has written and nobody has read; `errors` is what h2 raised, by name."""

    def __init__(self, frames: ModuleType, *, is_client: bool) -> None:
        self._frames = frames
        self.h2 = H2Connection(H2Configuration(client_side=is_client, header_encoding="utf-8"))
        self.streams: dict[int, Receiver] = {}
        # Also of streams that were released.
        self.receivers: list[Receiver] = []
        self.out = b""
        self.errors: list[str] = []
        self._sendings = 0
        self.is_over = False
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.out += self.h2.data_to_send()

    def register(self, stream_id: int) -> None:
        self.streams[stream_id] = receiver = Receiver()
        self.receivers.append(receiver)

    def begin(self, stream_id: int) -> None:
        self.h2.send_headers(stream_id, [*REQUEST, *_length_of(stream_id)])
        self.register(stream_id)
        self.flush()

    # What a script may have it do.

    def respond(self, stream_id: int, *, is_short: bool) -> None:
        self.h2.send_headers(stream_id, [(":status", "200"), *_length_of(stream_id)])
        self.flush()

    def send(self, stream_id: int, size: int, *, is_short: bool) -> None:
        """As much as the windows allow, as grpclib does; each sending has bytes of its own."""
        self._sendings += 1
        data = (bytes([self._sendings]) + b"abcdefg" * size)[:size]
        if is_short:
            frames = self._frames.data_frames(self.h2, stream_id, data)
            if frames is not None:
                self.out += frames
                return
        while data:
            window = self.h2.local_flow_control_window(stream_id)
            part_size = min(window, self.h2.max_outbound_frame_size)
            if part_size <= 0:
                break
            self.h2.send_data(stream_id, data[:part_size])
            data = data[part_size:]
        self.flush()

    def end(self, stream_id: int, *, is_short: bool) -> None:
        self.h2.end_stream(stream_id)
        self.flush()

    def reset(self, stream_id: int, *, is_short: bool) -> None:
        self.h2.reset_stream(stream_id)
        self.flush()

    def ping(self, *, is_short: bool) -> None:
        """It waits for whatever is written next."""
        self.h2.ping(b"portero!")

    def leave(self, *, is_short: bool) -> None:
        self.h2.close_connection()
        self.flush()

    def set_window(self, size: int, *, is_short: bool) -> None:
        self.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: size})
        self.flush()

    def set_frame_size(self, size: int, *, is_short: bool) -> None:
        self.h2.update_settings({SettingCodes.MAX_FRAME_SIZE: size})
        self.flush()

    def acknowledge(self, stream_id: int, *, is_short: bool) -> None:
        if receiver := self.streams.get(stream_id):
            size, receiver.unacknowledged = receiver.unacknowledged, 0
            self.h2.acknowledge_received_data(size, stream_id)
            self.flush()

    def release(self, stream_id: int, *, is_short: bool) -> None:
        self.acknowledge(stream_id, is_short=is_short)
        self.streams.pop(stream_id, None)

    def write(self, raw: bytes, *, is_short: bool) -> None:
        """What h2 would not have written."""
        self.flush()
        self.out += raw

    def write_data(
        self, stream_id: int, size: int, flags: int = 0, reserved: int = 0, *, is_short: bool
    ) -> None:
        header = size << 48 | flags << 32 | reserved << 31 | stream_id
        self.write(header.to_bytes(9) + bytes(size), is_short=is_short)

    def read(self, data: bytes, *, is_short: bool) -> None:
        try:
            if is_short:
                data = self._frames.take_data(self.h2, data, self.streams)
            if data:
                for event in self.h2.receive_data(data):
                    self._process(event)
        except ProtocolError:
            self.is_over = True
            raise
        finally:
            self.flush()

    def _process(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            self.register(event.stream_id)
        elif isinstance(event, DataReceived):
            if receiver := self.streams.get(event.stream_id):
                receiver.add(event.data, event.flow_controlled_length)
            else:
                size = event.flow_controlled_length
                self.h2.acknowledge_received_data(size, event.stream_id)


class World:
    def __init__(self, frames: ModuleType) -> None:
        self.peers = (Peer(frames, is_client=True), Peer(frames, is_client=False))
        for stream_id in STREAM_IDS:
            self.peers[0].begin(stream_id)
        for reader in (1, 0, 1, 0):
            self._deliver(self.peers[reader], self.peers[1 - reader], is_short=False)

    def take(self, step: Step, *, may_be_short: bool) -> None:
        peer, other = self.peers[step.peer], self.peers[1 - step.peer]
        is_short = step.is_short and may_be_short
        try:
            if step.name == "read":
                self._deliver(peer, other, *step.arguments, is_short=is_short)
            else:
                getattr(peer, step.name)(*step.arguments, is_short=is_short)
        except Exception as exc:  # noqa: BLE001 # whatever it is, its twin must raise it too
            peer.errors.append(type(exc).__name__)

    def _deliver(
        self, reader: Peer, writer: Peer, cuts: Sequence[int] = (), *, is_short: bool
    ) -> None:
        """All that is written, in pieces of these sizes and one of the rest."""
        for size in (*cuts, None):
            if reader.is_over:
                break
            piece, writer.out = writer.out[:size], b"" if size is None else writer.out[size:]
            reader.read(piece, is_short=is_short)

    @property
    def is_over(self) -> bool:
        return any(peer.is_over for peer in self.peers)


def difference(frames: ModuleType, script: Sequence[Step]) -> str | None:
    """What first is not the same in both worlds, of all that h2 and the streams know.

    When h2 ends a connection it gives nothing of what it has just read, even what was right; the
    short way has given that already. So the last bytes of such a connection are not compared.
    """
    short, plain = World(frames), World(frames)
    for step in script:
        short.take(step, may_be_short=True)
        plain.take(step, may_be_short=False)
        is_over = short.is_over or plain.is_over
        for peer, twin in zip(short.peers, plain.peers, strict=True):
            for what, look in LOOKS.items():
                if not (is_over and what == "streams") and look(peer) != look(twin):
                    return f"{what} after {step}: {look(peer)} and {look(twin)}"
        if is_over:
            return None
    return _disagreement(short) if _is_quiet(script) else None


def _disagreement(world: World) -> str | None:
    """Once all is delivered, what one may send is what the other would take.

    Not after an error: h2 closes the stream, or more, at one end only.
    """
    for _ in range(3):
        for reader in (0, 1):
            world.take(Step(name="read", peer=reader), may_be_short=True)
    if any(peer.errors for peer in world.peers):
        return None
    for sender, receiver in (world.peers, world.peers[::-1]):
        may, takes = _outbound(sender.h2), _inbound(receiver.h2)
        if any(may[key] != takes[key] for key in may.keys() & takes.keys()):
            return f"one may send {may}, the other takes {takes}"
    return None


def _is_quiet(script: Sequence[Step]) -> bool:
    """Neither peer lies, leaves, or closes a stream, after which nobody counts for it."""
    return not any(step.name in {"write", "write_data", "leave", "reset", "end"} for step in script)


def _length_of(stream_id: int) -> list[tuple[str, str]]:
    return [("content-length", CONTENT_LENGTH)] if stream_id == MEASURED_ID else []


def _outbound(h2: H2Connection) -> dict[int, int]:
    windows = {key: stream.outbound_flow_control_window for key, stream in h2.streams.items()}
    return {0: h2.outbound_flow_control_window, **windows}


def _inbound(h2: H2Connection) -> dict[int, int]:
    streams = h2.streams.items()
    windows = {key: stream._inbound_window_manager.current_window_size for key, stream in streams}
    return {0: h2._inbound_flow_control_window_manager.current_window_size, **windows}


def _counts(h2: H2Connection) -> list[Any]:
    streams = h2.streams.values()
    managers = [h2._inbound_flow_control_window_manager]
    managers += [stream._inbound_window_manager for stream in streams]
    return [vars(manager) for manager in managers]


LOOKS: dict[str, Callable[[Peer], Any]] = {
    "errors": lambda peer: peer.errors,
    "what may be sent": lambda peer: _outbound(peer.h2),
    "what may come": lambda peer: _inbound(peer.h2),
    "what was acknowledged": lambda peer: _counts(peer.h2),
    "states": lambda peer: [
        peer.h2.state_machine.state,
        *(stream.state_machine.state for stream in peer.h2.streams.values()),
    ],
    "frame sizes": lambda peer: [peer.h2.max_inbound_frame_size, peer.h2.max_outbound_frame_size],
    "what is unread": lambda peer: bytes(peer.h2.incoming_buffer._data),
    "what is written": lambda peer: (peer.out, bytes(peer.h2._data_to_send)),
    "streams": lambda peer: [(each.taken, each.unacknowledged) for each in peer.receivers],
}
