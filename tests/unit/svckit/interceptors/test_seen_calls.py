"""What the trace, log and measure interceptors make of a call, on either side."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
import structlog
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import LogCapture

from svckit.errors import Unavailable
from svckit.interceptors import client_interceptors, server_interceptors
from svckit.interceptors.log import log_calls
from svckit.interceptors.measure import measure_calls
from svckit.interceptors.trace import trace_server
from svckit.rpc import CallNext, Interceptor, RpcCall, run_intercepted
from svckit.tracing import open_tracing
from tests.unit.svckit.seen import Seen

METHOD = "auth.AuthService/ValidateLocal"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_server_span_continues_the_callers_trace() -> None:
    seen = Seen()
    call = RpcCall(method=METHOD, side="server", metadata={"traceparent": PARENT})

    await run_intercepted(server_interceptors(seen.telemetry), call, _succeed)

    span = seen.span()
    assert (span.name, span.kind) == (METHOD, SpanKind.SERVER)
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}-{span.parent.span_id:016x}" == PARENT[3:-3]
    assert dict(span.attributes or {}) == {
        "rpc.system.name": "grpc",
        "rpc.method": METHOD,
        "rpc.response.status_code": "OK",
    }
    assert span.status.status_code is StatusCode.UNSET


async def test_a_client_hands_on_its_own_span() -> None:
    seen = Seen()
    call = RpcCall(method=METHOD, side="client", peer="127.0.0.1:50051")

    await run_intercepted(client_interceptors(seen.telemetry), call, _succeed)

    span = seen.span()
    assert span.kind is SpanKind.CLIENT
    assert span.context is not None
    assert call.metadata["traceparent"].split("-")[1:3] == [
        f"{span.context.trace_id:032x}",
        f"{span.context.span_id:016x}",
    ]
    assert set(call.metadata) == {"traceparent"}
    assert (span.attributes or {})["server.address"] == "127.0.0.1:50051"


async def test_a_client_call_over_http_is_not_called_grpc() -> None:
    seen = Seen()
    call = RpcCall(method=METHOD, side="client", protocol="http")

    with pytest.raises(ConnectionRefusedError):
        await run_intercepted(
            client_interceptors(seen.telemetry), call, _failing(ConnectionRefusedError())
        )

    assert dict(seen.span().attributes or {}) == {
        "rpc.method": METHOD,
        "network.protocol.name": "http",
        "error.type": "UNAVAILABLE",
    }
    assert seen.lines("rpc")[0]["protocol"] == "http"
    assert seen.count("grpc_requests_total", service="auth", method="ValidateLocal") == 0


async def test_a_call_over_http_is_not_measured_as_grpc() -> None:
    seen = Seen()
    call = RpcCall(method=METHOD, side="client", protocol="http")

    await run_intercepted([measure_calls(seen.telemetry.metrics)], call, _succeed)

    metrics = seen.telemetry.metrics.registry.collect()
    assert [sample for family in metrics for sample in family.samples] == []


async def test_without_export_a_call_still_has_a_trace_id_to_log() -> None:
    ids: list[int] = []

    async def look() -> None:
        ids.append(trace.get_current_span().get_span_context().trace_id)

    await run_intercepted(
        [trace_server(open_tracing("auth", {}))], RpcCall(method=METHOD, side="server"), look
    )

    assert ids[0] != trace.INVALID_TRACE_ID


async def test_above_debug_no_line_says_who_asked() -> None:
    capture = LogCapture()
    log = structlog.wrap_logger(
        None,
        processors=[capture],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    call = RpcCall(method=METHOD, side="server", peer="10.0.0.1")

    await run_intercepted([log_calls(log)], call, _succeed)

    assert "peer" not in capture.entries[0]


async def test_a_refusal_is_no_error_of_the_server() -> None:
    seen = Seen()
    call = RpcCall(method=METHOD, side="server")

    with pytest.raises(GRPCError):
        await run_intercepted(
            server_interceptors(seen.telemetry), call, _failing(GRPCError(Status.NOT_FOUND))
        )

    assert seen.span().status.status_code is StatusCode.UNSET
    assert (seen.span().attributes or {})["rpc.response.status_code"] == "NOT_FOUND"


async def test_a_cancelled_call_ends_as_an_error_in_span_log_and_metrics() -> None:
    seen = Seen()
    call = RpcCall(method=METHOD, side="server")

    with pytest.raises(asyncio.CancelledError):
        await run_intercepted(
            server_interceptors(seen.telemetry), call, _failing(asyncio.CancelledError())
        )

    assert seen.span().status.status_code is StatusCode.ERROR
    assert (seen.span().attributes or {})["error.type"] == "CANCELLED"
    assert seen.lines("rpc")[0]["code"] == "CANCELLED"
    labels = {"service": "auth", "method": "ValidateLocal"}
    assert seen.count("grpc_errors_total", **labels, code="CANCELLED") == 1


async def test_a_deadline_ends_as_an_error_in_span_log_and_metrics() -> None:
    seen = Seen()
    interceptors = server_interceptors(seen.telemetry, default_timeout_s=0.001)

    with pytest.raises(GRPCError) as raised:
        await run_intercepted(interceptors, RpcCall(method=METHOD, side="server"), _forever)

    assert raised.value.status is Status.DEADLINE_EXCEEDED
    assert seen.span().status.status_code is StatusCode.ERROR
    assert seen.lines("rpc")[0]["code"] == "DEADLINE_EXCEEDED"
    labels = {"service": "auth", "method": "ValidateLocal"}
    assert seen.count("grpc_requests_total", **labels, status="DEADLINE_EXCEEDED") == 1


async def test_a_bug_is_logged_with_its_traceback_under_the_id_the_client_sees() -> None:
    seen = Seen()
    bug = ValueError("what only we may read")

    with pytest.raises(GRPCError) as raised:
        await run_intercepted(
            server_interceptors(seen.telemetry),
            RpcCall(method=METHOD, side="server"),
            _failing(bug),
        )

    (line,) = seen.lines("internal_error")
    assert (line["log_level"], line["exc_info"]) == ("error", bug)
    assert raised.value.message == f"internal error {line['error_id']}"
    assert line["trace_id"] == seen.lines("rpc")[0]["trace_id"]


async def test_one_line_a_call_says_what_was_measured() -> None:
    seen = Seen()
    clock = _ticking(by_s=0.25)
    log = log_calls(seen.telemetry.log, clock=lambda: next(clock))

    await run_intercepted([log], RpcCall(method=METHOD, side="server", peer="10.0.0.1"), _succeed)

    (line,) = seen.capture.entries
    assert line == {
        "event": "rpc",
        "log_level": "info",
        "service": "auth",
        "side": "server",
        "method": METHOD,
        "code": "OK",
        "duration_ms": 250.0,
        "peer": "10.0.0.1",
    }


async def test_the_measured_duration_is_recorded() -> None:
    seen = Seen()
    clock = _ticking(by_s=0.25)
    measure = measure_calls(seen.telemetry.metrics, clock=lambda: next(clock))

    await run_intercepted([measure], RpcCall(method=METHOD, side="client"), _succeed)

    labels = {"service": "auth", "method": "ValidateLocal"}
    assert seen.count("grpc_request_duration_seconds_sum", **labels) == 0.25
    assert seen.count("grpc_requests_total", **labels, status="OK") == 1
    assert seen.count("grpc_errors_total", **labels, code="OK") == 0


async def test_health_checks_are_neither_traced_nor_logged_at_info() -> None:
    seen = Seen()
    call = RpcCall(method="grpc.health.v1.Health/Check", side="server")

    await run_intercepted(server_interceptors(seen.telemetry), call, _succeed)

    assert seen.spans == ()
    assert [line["log_level"] for line in seen.lines("rpc")] == ["debug"]


@pytest.mark.parametrize("garbage", ["", "00-zz-zz-01", "ff" * 40, "00-" + "0" * 32 + "-1-01"])
async def test_a_context_that_makes_no_sense_starts_a_new_trace(garbage: str) -> None:
    seen = Seen()
    call = RpcCall(method=METHOD, side="server", metadata={"traceparent": garbage})

    await run_intercepted(server_interceptors(seen.telemetry), call, _succeed)

    assert seen.span().parent is None


def test_the_span_is_outermost_and_the_deadline_innermost() -> None:
    names = [_name(part) for part in server_interceptors(Seen().telemetry)]

    assert names == ["trace", "log_call", "measure", "translate", "keep"]


def _name(interceptor: Interceptor) -> str:
    return str(getattr(interceptor, "__name__", ""))


async def _succeed() -> None:
    pass


async def _forever() -> None:
    await asyncio.Event().wait()


def _failing(error: BaseException) -> CallNext:
    async def fail() -> None:
        raise error

    return fail


def _ticking(*, by_s: float) -> Iterator[float]:
    now = 0.0
    while True:
        yield now
        now += by_s


async def test_the_line_of_a_failed_call_names_the_kind_of_its_cause_and_nothing_more() -> None:
    seen = Seen()

    async def fail() -> None:
        try:
            raise ConnectionRefusedError("portero@10.0.0.1")
        except OSError as exc:
            raise Unavailable("the database does not answer") from exc

    with pytest.raises(GRPCError):
        await run_intercepted(
            server_interceptors(seen.telemetry), RpcCall(method=METHOD, side="server"), fail
        )

    (line,) = seen.lines("rpc")
    assert (line["code"], line["cause"]) == ("UNAVAILABLE", "ConnectionRefusedError")
    assert "10.0.0.1" not in str(seen.capture.entries)


async def test_a_question_on_a_stream_is_a_call_whose_line_is_for_debug() -> None:
    seen = Seen()
    call = RpcCall(method="access.v1.AccessService/CheckLocals", side="server", is_on_stream=True)

    await run_intercepted(server_interceptors(seen.telemetry), call, _succeed)

    (line,) = seen.lines("rpc")
    assert line["log_level"] == "debug"
    assert seen.span().name == "access.v1.AccessService/CheckLocals"
    labels = {"service": "access.v1", "method": "CheckLocals", "status": "OK"}
    assert seen.count("grpc_requests_total", **labels) == 1


async def test_a_stream_is_counted_but_how_long_it_was_open_is_not_measured() -> None:
    seen = Seen()
    call = RpcCall(method="access.v1.AccessService/CheckLocals", side="server", is_streaming=True)

    await run_intercepted(server_interceptors(seen.telemetry), call, _succeed)

    labels = {"service": "access.v1", "method": "CheckLocals"}
    assert seen.count("grpc_requests_total", **labels, status="OK") == 1
    assert seen.count("grpc_request_duration_seconds_count", **labels) == 0
