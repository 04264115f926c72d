"""One span, one measurement and one log line for each HTTP request, around any ASGI app.

Names the route's template, never the path: a path holds ids, and a stranger can make up any.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from svckit import semconv
from svckit.telemetry import Telemetry

__all__ = ["ObserveHttp"]

# Asked every second by machinery, so neither traced nor logged at INFO.
INFRASTRUCTURE = frozenset({"/livez", "/readyz", "/metrics"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
# What web servers have come to write when the client has left before the answer.
CLIENT_GONE = 499


class ObserveHttp:
    """`clock` is not the loop's, which counts whole milliseconds under uvloop."""

    def __init__(
        self,
        app: ASGIApp,
        telemetry: Telemetry,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._app = app
        self._telemetry = telemetry
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with self._span(scope):
            await self._observed(scope, receive, send)

    async def _observed(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = self._clock()
        status = 500  # what the server says for an app that ends without a word

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except asyncio.CancelledError:
            status = CLIENT_GONE
            raise
        except Exception:
            status = 500  # also when it had begun well: an answer that broke off is none
            raise
        finally:
            self._ended(scope, status, self._clock() - started)

    def _span(self, scope: Scope) -> AbstractContextManager[object]:
        if scope["path"] in INFRASTRUCTURE:
            return nullcontext()
        tracing = self._telemetry.tracing
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in (b"traceparent", b"tracestate")
        }
        return tracing.tracer.start_as_current_span(
            _method(scope),
            context=tracing.propagator.extract(headers),
            kind=SpanKind.SERVER,
            attributes={
                semconv.HTTP_REQUEST_METHOD: _method(scope),
                semconv.URL_SCHEME: scope["scheme"],
            },
            record_exception=False,
            set_status_on_exception=False,
        )

    def _ended(self, scope: Scope, status: int, duration_s: float) -> None:
        method, route = _method(scope), _route(scope)
        _describe(trace.get_current_span(), method, route, status)
        telemetry = self._telemetry
        telemetry.metrics.http_ended(
            service=telemetry.service_name,
            route=route,
            method=method,
            status=status,
            duration_s=duration_s,
        )
        telemetry.log.log(
            logging.DEBUG if scope["path"] in INFRASTRUCTURE else logging.INFO,
            "http",
            method=method,
            route=route,
            status=status,
            duration_ms=round(duration_s * 1000, 3),
        )


def _describe(span: Span, method: str, route: str, status: int) -> None:
    if not span.is_recording():
        return
    if route != UNMATCHED:
        span.update_name(f"{method} {route}")
        span.set_attribute(semconv.HTTP_ROUTE, route)
    span.set_attribute(semconv.HTTP_RESPONSE_STATUS_CODE, status)
    if status >= 500 or status == CLIENT_GONE:
        span.set_attribute(semconv.ERROR_TYPE, str(status))
        span.set_status(Status(StatusCode.ERROR))


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in METHODS else "_OTHER"


def _route(scope: Scope) -> str:
    """Known only once Starlette's router has run."""
    path = getattr(scope.get("route"), "path", UNMATCHED)
    return str(path)
