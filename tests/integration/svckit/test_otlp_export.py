"""Spans leave the process when an endpoint is set, and nothing else ever waits for them."""

import asyncio
import socket
import sys
import time

import pytest
from opentelemetry.trace import Tracer

from svckit.telemetry import open_telemetry
from svckit.tracing import SHUTDOWN_TIMEOUT_S
from tests.otlp import otlp_receiver, resource_attributes

# More spans than one export can hold, to an endpoint that never answers.
LEAVE = """
import asyncio, sys, time
from svckit.telemetry import open_telemetry

async def main():
    async with open_telemetry("auth", {"OTEL_EXPORTER_OTLP_ENDPOINT": sys.argv[1]}) as telemetry:
        for _ in range(2000):
            telemetry.tracing.tracer.start_span("a call").end()
        print(time.monotonic())
    print(time.monotonic())

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "/"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "/v1/traces"),
    ],
)
async def test_spans_reach_the_endpoint_at_the_latest_on_close(variable: str, path: str) -> None:
    async with otlp_receiver() as receiver:
        async with open_telemetry("auth", {variable: receiver.endpoint + path}) as telemetry:
            _make_span(telemetry.tracing.tracer, "a call")

        assert [span.name for span in receiver.spans_of("auth")] == ["a call"]


async def test_two_services_of_one_process_keep_their_own_names() -> None:
    async with otlp_receiver() as receiver:
        environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_SERVICE_NAME": "portero",
        }
        async with (
            open_telemetry("auth", environ) as auth,
            open_telemetry("catalog", environ) as catalog,
        ):
            _make_span(auth.tracing.tracer, "asked")
            _make_span(catalog.tracing.tracer, "asking")

        names = {
            (attributes["service.name"], attributes["service.namespace"])
            for attributes in map(resource_attributes, receiver.received)
        }
        assert names == {("auth", "portero"), ("catalog", "portero")}


async def test_a_sampler_that_drops_everything_sends_nothing() -> None:
    async with otlp_receiver() as receiver:
        environ = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_TRACES_SAMPLER": "always_off",
        }
        async with open_telemetry("auth", environ) as telemetry:
            _make_span(telemetry.tracing.tracer, "a call")

        assert receiver.received == []


async def test_without_an_endpoint_closing_takes_no_time() -> None:
    async with open_telemetry("auth", {}) as telemetry:
        _make_span(telemetry.tracing.tracer, "a call")
        started = time.perf_counter()

    assert time.perf_counter() - started < 0.5


async def test_an_endpoint_nobody_listens_on_does_not_delay_the_exit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}

    async with open_telemetry("auth", environ) as telemetry:
        _make_span(telemetry.tracing.tracer, "a call")
        started = time.perf_counter()

    assert time.perf_counter() - started < SHUTDOWN_TIMEOUT_S + 0.5


async def test_a_silent_endpoint_delays_neither_closing_nor_the_end_of_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", LEAVE, url, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(30.0):
            output, _ = await process.communicate()
        ended = time.monotonic()

    closing, closed = map(float, output.split())
    assert closed - closing < SHUTDOWN_TIMEOUT_S + 0.5
    assert ended - closed < 2.0


def _make_span(tracer: Tracer, name: str) -> None:
    with tracer.start_as_current_span(name):
        pass
