import asyncio
import time
from collections.abc import Iterator

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from svckit.http_observe import ObserveHttp
from tests.asgi import ask
from tests.unit.svckit.seen import Seen

TEMPLATE = "/api/v1/locals/{local_id}/validate"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_request_is_named_by_its_template_in_span_metrics_and_log() -> None:
    seen = Seen()

    await ask(_app(seen), "GET", "/api/v1/locals/l1/validate?user_id=u1")

    span = seen.span()
    assert (span.name, span.kind) == (f"GET {TEMPLATE}", SpanKind.SERVER)
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": TEMPLATE,
        "http.response.status_code": 200,
        "url.scheme": "http",
    }
    labels = {"service": "auth", "route": TEMPLATE, "method": "GET"}
    assert seen.count("http_requests_total", **labels, status="200") == 1
    assert seen.count("http_request_duration_seconds_count", **labels) == 1
    (line,) = seen.capture.entries
    assert (line["event"], line["log_level"]) == ("http", "info")
    assert (line["method"], line["route"], line["status"]) == ("GET", TEMPLATE, 200)
    assert "l1" not in repr(line)
    assert "u1" not in repr(line)


async def test_the_callers_trace_goes_on() -> None:
    seen = Seen()

    await ask(_app(seen), "GET", "/api/v1/locals/l1/validate", headers={"traceparent": PARENT})

    parent = seen.span().parent
    assert parent is not None
    assert f"{parent.trace_id:032x}-{parent.span_id:016x}" == PARENT[3:-3]
    assert seen.lines("http")[0]["trace_id"] == PARENT[3:35]


async def test_the_measured_duration_is_what_is_logged() -> None:
    seen = Seen()
    ticks = iter((10.0, 10.25))

    await ask(_app(seen, ticks), "GET", "/api/v1/locals/l1/validate")

    assert seen.lines("http")[0]["duration_ms"] == 250.0
    labels = {"service": "auth", "route": TEMPLATE, "method": "GET"}
    assert seen.count("http_request_duration_seconds_sum", **labels) == 0.25


@pytest.mark.parametrize(("method", "path"), [("GET", "/made/up"), ("BREW", "/made/up")])
async def test_what_a_stranger_makes_up_becomes_no_label(method: str, path: str) -> None:
    seen = Seen()

    await ask(_app(seen), method, path)

    exposed = repr([m.samples for m in seen.telemetry.metrics.registry.collect()])
    assert "made" not in exposed
    assert "BREW" not in exposed
    assert "unmatched" in exposed
    assert seen.span().name in {"GET", "_OTHER"}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_what_machines_ask_is_neither_traced_nor_logged_at_info(path: str) -> None:
    seen = Seen()

    await ask(_app(seen), "GET", path)

    assert seen.spans == ()
    assert [line["log_level"] for line in seen.lines("http")] == ["debug"]


@pytest.mark.parametrize(
    ("path", "status", "span_status"),
    [
        ("/refuse", 403, StatusCode.UNSET),
        ("/unavailable", 503, StatusCode.ERROR),
    ],
)
async def test_only_a_failure_of_ours_is_an_error(
    path: str, status: int, span_status: StatusCode
) -> None:
    seen = Seen()

    await ask(_app(seen), "GET", path)

    assert seen.span().status.status_code is span_status
    assert seen.lines("http")[0]["status"] == status


async def test_an_app_that_raises_counts_as_500() -> None:
    seen = Seen()

    with pytest.raises(ValueError, match="a bug"):
        await ask(_app(seen), "GET", "/break")

    assert seen.span().status.status_code is StatusCode.ERROR
    assert seen.lines("http")[0]["status"] == 500


async def test_a_client_that_leaves_is_499_and_the_cancellation_passes() -> None:
    seen = Seen()
    entered = asyncio.Event()

    async def hang(scope: Scope, receive: Receive, send: Send) -> None:
        entered.set()
        await asyncio.Event().wait()

    request = asyncio.ensure_future(ask(ObserveHttp(hang, seen.telemetry), "GET", "/"))
    await entered.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request

    assert seen.span().status.status_code is StatusCode.ERROR
    assert seen.lines("http")[0]["status"] == 499


async def test_what_is_no_request_passes_untouched() -> None:
    seen = Seen()
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)

    await ObserveHttp(app, seen.telemetry)({"type": "lifespan"}, _receive, _send)

    assert scopes == [{"type": "lifespan"}]
    assert seen.capture.entries == []


def _app(seen: Seen, ticks: Iterator[float] | None = None) -> ObserveHttp:
    async def answer(request: Request) -> Response:
        return Response(
            status_code={"/refuse": 403, "/unavailable": 503}.get(request.url.path, 200)
        )

    async def fail(_: Request) -> Response:
        raise ValueError("a bug")

    paths = (TEMPLATE, "/livez", "/readyz", "/metrics", "/refuse", "/unavailable")
    app = Starlette(routes=[*(Route(path, answer) for path in paths), Route("/break", fail)])
    clock = time.perf_counter if ticks is None else lambda: next(ticks)
    return ObserveHttp(app, seen.telemetry, clock=clock)


async def _receive() -> Message:
    raise AssertionError


async def _send(_: Message) -> None:
    raise AssertionError
