"""What we lean on in grpclib's server, so that an upgrade cannot surprise us."""

import asyncio
import inspect

import pytest
from grpclib.const import Status
from grpclib.events import RecvRequest, SendTrailingMetadata
from grpclib.exceptions import GRPCError
from grpclib.health.check import ServiceStatus
from grpclib.metadata import Deadline, decode_timeout, encode_metadata
from grpclib.protocol import Connection, EventsProcessor, H2Protocol
from grpclib.server import Handler, Server
from grpclib.utils import DeadlineWrapper


def test_a_listener_may_replace_the_method_and_no_more() -> None:
    assert RecvRequest.__payload__ == ("metadata", "method_func")


def test_an_error_has_no_room_for_trailing_metadata() -> None:
    assert list(inspect.signature(GRPCError).parameters) == ["status", "message", "details"]
    assert SendTrailingMetadata.__payload__ == ("metadata",)


def test_trailing_metadata_may_not_use_grpcs_own_prefix() -> None:
    with pytest.raises(ValueError, match="Invalid metadata key"):
        encode_metadata({"grpc-retry-pushback-ms": "1"})


def test_a_deadline_over_on_arrival_is_not_reported_as_such() -> None:
    # A TimeoutError before the call has begun: the server would say UNKNOWN.
    with pytest.raises(asyncio.TimeoutError), DeadlineWrapper().start(Deadline.from_timeout(0)):
        pass


def test_a_timeout_that_overflows_is_not_refused_as_a_bad_one() -> None:
    with pytest.raises(OverflowError):
        decode_timeout("9" * 400 + "m")


def test_what_we_override_is_still_there() -> None:
    overridden: list[tuple[type, str, list[str]]] = [
        (EventsProcessor, "process_request_received", ["self", "event"]),
        (H2Protocol, "connection_made", ["self", "transport"]),
        (H2Protocol, "pause_writing", ["self"]),
        (H2Protocol, "resume_writing", ["self"]),
        (Handler, "accept", ["self", "stream", "headers", "release_stream"]),
        (Handler, "cancel", ["self", "stream"]),
        (Server, "_protocol_factory", ["self"]),
    ]
    for owner, name, parameters in overridden:
        assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


def test_a_processor_can_be_replaced_once_the_connection_is_made() -> None:
    # It does nothing but remember: no I/O, no registration that a second one would double.
    names = inspect.signature(EventsProcessor).parameters

    assert list(names) == ["handler", "connection"]
    assert list(inspect.signature(Connection.create_stream).parameters) == [
        "self",
        "stream_id",
        "wrapper",
    ]


async def test_closing_a_server_cancels_what_it_serves() -> None:
    # Which is why we wait before we close.
    source = inspect.getsource(Server.close)

    assert "handler.close()" in source


def test_a_status_that_does_not_change_wakes_no_watcher() -> None:
    status = ServiceStatus()
    status.set(True)
    event = asyncio.Event()
    status._events.add(event)

    status.set(True)

    assert not event.is_set()


def test_a_status_code_has_a_name_and_a_number() -> None:
    assert (Status.DEADLINE_EXCEEDED.name, Status.DEADLINE_EXCEEDED.value) == (
        "DEADLINE_EXCEEDED",
        4,
    )
