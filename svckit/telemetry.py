"""How one service is seen from outside: its traces, metrics and log, opened and closed as one."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from svckit.logs import open_logger
from svckit.metrics import Metrics
from svckit.tracing import Tracing, open_tracing

__all__ = ["Telemetry", "open_telemetry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """Passed to whatever makes or serves calls. `service_name` is "auth", "catalog"."""

    service_name: str
    tracing: Tracing
    metrics: Metrics
    log: FilteringBoundLogger

    def report_bug(self, error: BaseException) -> str:
        """Logs an unexpected error with its traceback; the id is all that a caller may see."""
        error_id = secrets.token_hex(8)
        self.log.error("internal_error", error_id=error_id, exc_info=error)
        return error_id


@asynccontextmanager
async def open_telemetry(service_name: str, environ: Mapping[str, str]) -> AsyncIterator[Telemetry]:
    """Raises SettingsError on a wrong OTEL_* name. Leaving sends the last spans, for at most 3 s.

    Logs are set up apart from it, once per process, by `configure_logs`.
    """
    telemetry = Telemetry(
        service_name=service_name,
        tracing=open_tracing(service_name, environ),
        metrics=Metrics(),
        log=open_logger(service_name),
    )
    try:
        yield telemetry
    finally:
        await telemetry.tracing.aclose()
