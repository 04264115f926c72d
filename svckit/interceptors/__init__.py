"""The interceptors every call goes through, one concern each, in their one right order.

Outermost first: the span (so that log lines have its trace id), the log line, the measurement, the
translation of errors (so that the three outside see what the wire sees), the deadline.
"""

from svckit.interceptors.deadlines import keep_deadline
from svckit.interceptors.errors import translate_errors
from svckit.interceptors.log import log_calls
from svckit.interceptors.measure import measure_calls
from svckit.interceptors.outcome import code_of
from svckit.interceptors.trace import trace_client, trace_server
from svckit.rpc import Interceptor
from svckit.telemetry import Telemetry

__all__ = ["server_interceptors", "client_interceptors", "code_of"]


def server_interceptors(
    telemetry: Telemetry, *, default_timeout_s: float = 5.0
) -> tuple[Interceptor, ...]:
    """`default_timeout_s` bounds a unary call whose client set no deadline."""
    return (
        trace_server(telemetry.tracing),
        log_calls(telemetry.log),
        measure_calls(telemetry.metrics),
        translate_errors(telemetry.report_bug),
        keep_deadline(default_timeout_s),
    )


def client_interceptors(telemetry: Telemetry) -> tuple[Interceptor, ...]:
    return (
        trace_client(telemetry.tracing),
        log_calls(telemetry.log),
        measure_calls(telemetry.metrics),
    )
