"""Log lines on stderr: JSON for machines, colours on a terminal, set up once per process.

The libraries' loggers come out in the same format, from WARNING up whatever LOG_LEVEL says: their
lower levels print headers and statement parameters, which hold tokens and ids.
"""

import logging
import sys
from collections.abc import Mapping
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

from svckit.settings import SettingsError
from svckit.tracing import current_trace_id

__all__ = ["configure_logs", "open_logger", "redact", "add_trace_id"]

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}

# What they say about a single call follows from what a client sends, tracebacks included: a flood
# anyone can open. Our interceptors write one line a call instead.
SILENCED = ("grpclib", "hypercorn.access", "opentelemetry.trace.propagation.tracecontext")

MASK = "[redacted]"
SECRET_WORDS = (
    *("token", "authorization", "password", "secret", "cookie", "credential"),
    *("private_key", "private_pem", "service_key", "api_key"),
)


def configure_logs(environ: Mapping[str, str]) -> None:
    """Global to the process, and safe to repeat. Raises SettingsError on an unknown LOG_LEVEL."""
    level = LEVELS.get(environ.get("LOG_LEVEL", "").strip().upper() or "INFO")
    if level is None:
        raise SettingsError(f"LOG_LEVEL: must be one of {', '.join(LEVELS)}")
    shared = _shared_processors()
    render = _renderers(sys.stderr)
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in SILENCED:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def open_logger(service_name: str) -> FilteringBoundLogger:
    """A logger whose every line says which service wrote it."""
    return cast(FilteringBoundLogger, structlog.get_logger().bind(service=service_name))


def redact(_: Any, __: str, event: EventDict) -> EventDict:
    """The last net: nothing should log a secret, and if something does, only its name comes out."""
    return {name: _redacted(name, value) for name, value in event.items()}


def add_trace_id(_: Any, __: str, event: EventDict) -> EventDict:
    if trace_id := current_trace_id():
        event["trace_id"] = trace_id
    return event


def _redacted(name: object, value: object) -> object:
    word = str(name).casefold().replace("-", "_")
    if any(secret in word for secret in SECRET_WORDS):
        return MASK
    if isinstance(value, Mapping):
        return {key: _redacted(key, item) for key, item in value.items()}
    return value


def _shared_processors() -> list[Processor]:
    return [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_trace_id,
        redact,
    ]


def _renderers(stream: TextIO) -> list[Processor]:
    if stream.isatty():
        # Not the default traceback, which shows local variables, hence secrets.
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
