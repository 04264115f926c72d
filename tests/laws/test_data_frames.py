"""The short way of DATA is h2's: the same bytes, counts, states and errors, whatever is mixed."""

import inspect
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from svckit import data_frames
from tests.laws.frames_world import STREAM_IDS, Step, difference

CLIENT, SERVER = 0, 1
HEADERS_UNFINISHED = bytes.fromhex("000001 01 00 00000001 82")
RESET = bytes.fromhex("000004 03 00 00000001 00000008")
# A frame whose body, from its eleventh byte on, could pass for a frame.
NESTED = (
    bytes.fromhex("000015 00 00 00000001") + bytes(10) + bytes.fromhex("000002000000000001aabb")
)
NESTED_AT = 19

# The edges: of a frame's header, of the windows and frame sizes below, and of h2's defaults.
sizes = st.sampled_from(
    [1, 8, 9, 10, 50, 51, 120, 121, 1000, 16_384, 16_385, 20_001, 30_000, 65_535, 65_536]
)
stream_ids = st.sampled_from(STREAM_IDS)


def step(name: str, *arguments: st.SearchStrategy[object]) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        name=st.just(name),
        peer=st.sampled_from([CLIENT, SERVER]),
        arguments=st.tuples(*arguments),
        is_short=st.sampled_from([True, True, False]),
    )


def do(peer: int, name: str, *arguments: object) -> Step:
    return Step(name=name, peer=peer, arguments=arguments)


sends = step("send", stream_ids, sizes)
reads = step("read", st.lists(st.sampled_from([1, 9, 10, NESTED_AT, 20, 40]), max_size=3))
# Flags of DATA: END_STREAM is 1, PADDED is 8; the others mean nothing.
wild_data = step(
    "write_data",
    st.sampled_from([*STREAM_IDS, 0, 2, 7]),
    st.one_of(st.just(0), sizes),
    st.sampled_from([0, 0, 0, 1, 8, 9, 32]),
    st.sampled_from([0, 0, 0, 1]),
)
steps = st.one_of(
    sends,
    reads,
    sends,
    reads,
    step("acknowledge", stream_ids),
    st.builds(do, st.just(SERVER), st.just("respond"), stream_ids),
    step("set_window", st.sampled_from([0, 50, 1000, 65_535, 200_000])),
    step("set_frame_size", st.sampled_from([16_384, 20_000, 60_000])),
    step("ping"),
    wild_data,
    step("write", st.sampled_from([HEADERS_UNFINISHED, RESET, NESTED])),
    step("release", stream_ids),
    st.one_of(step("end", stream_ids), step("reset", stream_ids), step("leave")),
)
ANSWERED = [*(do(SERVER, "respond", stream_id) for stream_id in STREAM_IDS), do(CLIENT, "read")]
scripts = st.builds(
    list.__add__, st.sampled_from([ANSWERED, ANSWERED, []]), st.lists(steps, max_size=30)
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(scripts)
def test_the_short_way_and_h2s_are_one(script: list[Step]) -> None:
    assert difference(data_frames, script) is None


IN_CONNECTION = "h2._inbound_flow_control_window_manager.current_window_size"
IN_STREAM = "stream._inbound_window_manager.current_window_size"
OVER = "or h2.state_machine.state not in WORKING"
SEND_50 = do(CLIENT, "send", 1, 50)
READ = do(SERVER, "read")


def window_of(size: int) -> list[Step]:
    return [do(SERVER, "set_window", size), do(CLIENT, "read"), READ]


# What a slip would make of the module, and what then goes differently.
SLIPS: dict[str, tuple[str, str, list[Step]]] = {
    "a begun frame is not seen": (
        "incoming._data or ", "",
        [do(CLIENT, "write", NESTED), do(SERVER, "read", [NESTED_AT])],
    ),
    "begun headers are not seen": (
        "incoming._headers_buffer or ", "",
        [do(CLIENT, "write", HEADERS_UNFINISHED), READ, SEND_50, READ],
    ),
    "it reads what comes after the end": (
        f" {OVER}:\n        return data", ":\n        return data",
        [do(SERVER, "leave"), SEND_50, READ],
    ),
    "padding is taken for data": (
        "header >> 32 & 0xFFFF", "header >> 40 & 0xFF",
        [do(CLIENT, "write_data", 1, 10, 8), READ],
    ),
    "a reset is taken for data": (
        "header >> 32 & 0xFFFF", "header >> 32 & 0xFF", [do(CLIENT, "write", RESET), READ],
    ),
    "a frame is cut short": (" or body + size > end", "", [SEND_50, do(SERVER, "read", [20])]),
    "the connection's window does not shrink": (f"{IN_CONNECTION} -= size", "0", [SEND_50, READ]),
    "the stream's window does not shrink": (f"{IN_STREAM} -= size", "0", [SEND_50, READ]),
    "an ended stream takes": (
        "stream.state_machine.state in RECEIVING", "True",
        [do(CLIENT, "end", 1), READ, do(CLIENT, "write_data", 1, 10), READ],
    ),
    "a response that has not begun takes": (
        "and stream.state_machine.headers_received is True", "",
        [do(SERVER, "send", 1, 50), do(CLIENT, "read")],
    ),
    "more is taken than the content's length": (
        "and stream._expected_content_length is None", "", [do(CLIENT, "send", 5, 121), READ],
    ),
    "a frame that is too large is taken": (
        "size <= h2.max_inbound_frame_size", "size", [do(CLIENT, "write_data", 1, 16_385), READ],
    ),
    "more is taken than the connection's window": (
        f"and size <= {IN_CONNECTION}", "",
        [*window_of(200_000), *5 * [do(CLIENT, "write_data", 1, 16_384), READ]],
    ),
    "more is taken than the stream's window": (
        f"and size <= {IN_STREAM}", "", [*window_of(50), do(CLIENT, "write_data", 1, 51), READ],
    ),
    "an ended stream sends": (
        "or stream.state_machine.state not in SENDING", "", [do(CLIENT, "end", 1), SEND_50],
    ),
    "it sends after the end": (
        f"{OVER}\n        or not", "or not", [do(CLIENT, "leave"), SEND_50],
    ),
    "more is sent than the connection's window": (
        "size <= h2.outbound_flow_control_window", "size",
        [*window_of(200_000), do(CLIENT, "send", 1, 65_536)],
    ),
    "more is sent than the stream's window": (
        "or size > stream.outbound_flow_control_window", "",
        [*window_of(50), do(CLIENT, "send", 1, 51)],
    ),
    "what is sent is not counted": ("    h2.outbound_flow_control_window -= size", "", [SEND_50]),
    "what a stream sends is not counted": (
        "stream.outbound_flow_control_window -= size", "0", [SEND_50],
    ),
    "a frame that is too large is sent": (
        "frame_bytes_max = h2.max_outbound_frame_size", "frame_bytes_max = 2**24",
        [do(CLIENT, "send", 1, 20_001)],
    ),
    "what waits to be sent is overtaken": (
        "[h2.data_to_send()] if h2._data_to_send else []", "[]", [do(CLIENT, "ping"), SEND_50],
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_would_be_found(slip: str) -> None:
    old, new, script = SLIPS[slip]

    assert difference(_with(old, new), script) is not None
    assert difference(data_frames, script) is None


def _with(old: str, new: str) -> ModuleType:
    source = inspect.getsource(data_frames)
    assert source.count(old) == 1, old
    module = ModuleType("slipped")
    exec(source.replace(old, new), vars(module))  # noqa: S102 # our own module, one place changed
    return module
