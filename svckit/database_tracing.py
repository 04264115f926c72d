"""A CLIENT span for each SQL statement that runs within a recorded span; nothing otherwise."""

from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from svckit import semconv

__all__ = ["trace_queries"]

# In the connection's own notes, since one connection runs one statement at a time.
SPAN = "svckit.span"


def trace_queries(engine: Engine, tracer: Tracer) -> None:
    """For an async engine give its `sync_engine`. Spans hold placeholders, never the values."""
    system = engine.dialect.name  # "postgresql", "sqlite": as in the conventions

    def before(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if not trace.get_current_span().is_recording():
            return
        operation = statement.split(maxsplit=1)[0].upper() if statement.strip() else "QUERY"
        connection.info[SPAN] = tracer.start_span(
            operation,
            kind=SpanKind.CLIENT,
            attributes={
                semconv.DB_SYSTEM_NAME: system,
                semconv.DB_OPERATION_NAME: operation,
                semconv.DB_QUERY_TEXT: statement,
            },
        )

    def after(connection: Connection, *_: Any) -> None:
        span: Span | None = connection.info.pop(SPAN, None)
        if span is not None:
            span.end()

    def failed(context: ExceptionContext) -> None:
        connection = context.connection
        span: Span | None = connection.info.pop(SPAN, None) if connection is not None else None
        if span is not None:
            # Cancellation comes here as well.
            span.set_attribute(semconv.ERROR_TYPE, type(context.original_exception).__name__)
            span.set_status(Status(StatusCode.ERROR))
            span.end()

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "handle_error", failed)
