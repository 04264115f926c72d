import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from svckit.database_tracing import trace_queries
from tests.unit.svckit.seen import Seen


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
async def engine(seen: Seen, tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/test.db")
    trace_queries(engine.sync_engine, seen.telemetry.tracing.tracer)
    yield engine
    await engine.dispose()


async def test_a_query_is_a_child_of_the_span_that_asked(engine: AsyncEngine, seen: Seen) -> None:
    with seen.telemetry.tracing.tracer.start_as_current_span("a call"):
        async with engine.connect() as connection:
            await connection.execute(text("select :word"), {"word": "s3cr3t"})

    query, call = seen.spans
    assert (query.name, query.kind) == ("SELECT", SpanKind.CLIENT)
    assert query.parent is not None
    assert call.context is not None
    assert query.parent.span_id == call.context.span_id
    assert dict(query.attributes or {}) == {
        "db.system.name": "sqlite",
        "db.operation.name": "SELECT",
        "db.query.text": "select ?",
    }


async def test_outside_of_a_recorded_span_there_is_none(engine: AsyncEngine, seen: Seen) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))

    assert seen.spans == ()


async def test_a_query_that_fails_ends_as_an_error(engine: AsyncEngine, seen: Seen) -> None:
    with seen.telemetry.tracing.tracer.start_as_current_span("a call"):
        async with engine.connect() as connection:
            with pytest.raises(OperationalError):
                await connection.execute(text("SELECT * FROM nowhere"))

    query, _ = seen.spans
    assert query.status.status_code is StatusCode.ERROR
    assert (query.attributes or {})["error.type"] == "OperationalError"


def test_a_query_that_is_cancelled_ends_as_an_error(seen: Seen) -> None:
    engine = create_engine("sqlite://")
    trace_queries(engine, seen.telemetry.tracing.tracer)
    # Where asyncio's cancellation comes out of the driver.
    event.listen(engine, "do_execute", _cancel)

    with (
        seen.telemetry.tracing.tracer.start_as_current_span("a call"),
        engine.connect() as connection,
        pytest.raises(asyncio.CancelledError),
    ):
        connection.execute(text("SELECT 1"))

    query, _ = seen.spans
    assert query.status.status_code is StatusCode.ERROR
    assert (query.attributes or {})["error.type"] == "CancelledError"
    engine.dispose()


async def test_two_calls_at_once_have_their_own_queries(engine: AsyncEngine, seen: Seen) -> None:
    async def ask(name: str) -> None:
        with seen.telemetry.tracing.tracer.start_as_current_span(name):
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))

    await asyncio.gather(ask("one"), ask("two"))

    calls = {span.context.span_id for span in seen.spans if span.parent is None and span.context}
    parents = {span.parent.span_id for span in seen.spans if span.parent is not None}
    assert parents == calls
    assert len(calls) == 2


def _cancel(*_: object) -> None:
    raise asyncio.CancelledError
