import asyncio
import json
import os
import pty
import sys
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from svckit.logs import add_trace_id, configure_logs, redact
from svckit.settings import SettingsError

# What a process with our logs does, each in its own, because logging is global to one.
PROGRAM = """
import logging, os, sys
from svckit.logs import configure_logs, open_logger

configure_logs(os.environ)
log = open_logger("auth")
"""


def test_a_secret_inside_of_metadata_is_masked_and_its_neighbours_are_not() -> None:
    event = redact(None, "info", {"event": "rpc", "metadata": {"cookie": "c", "te": "trailers"}})

    assert event == {"event": "rpc", "metadata": {"cookie": "[redacted]", "te": "trailers"}}


def test_a_line_within_a_span_carries_its_trace_id() -> None:
    span = NonRecordingSpan(
        SpanContext(trace_id=255, span_id=1, is_remote=False, trace_flags=TraceFlags(0))
    )

    with trace.use_span(span):
        event = add_trace_id(None, "info", {"event": "rpc"})

    assert event["trace_id"] == "000000000000000000000000000000ff"


def test_a_line_outside_of_any_span_has_no_trace_id() -> None:
    assert add_trace_id(None, "info", {"event": "rpc"}) == {"event": "rpc"}


def test_an_unknown_level_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="LOG_LEVEL: must be one of DEBUG, INFO"):
        configure_logs({"LOG_LEVEL": "LOUD"})


async def test_a_line_is_one_json_object_on_stderr() -> None:
    (line,) = await _lines('log.info("rpc", code="OK", token="t")')

    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "rpc",
        "level": "info",
        "service": "auth",
        "code": "OK",
        "token": "[redacted]",
    }


async def test_an_exception_comes_out_with_its_traceback_and_without_its_variables() -> None:
    program = """
secret = "s3c" "r3t"
try:
    raise ValueError("why")
except ValueError as exc:
    log.error("internal_error", exc_info=exc)
"""
    (line,) = await _lines(program)

    assert "ValueError: why" in line["exception"]
    assert "s3cr3t" not in line["exception"]


async def test_below_the_level_nothing_is_written() -> None:
    assert await _lines('log.info("rpc")', LOG_LEVEL="warning") == []


async def test_debug_lines_are_ours_alone() -> None:
    program = """
log.debug("ours")
logging.getLogger("hpack").debug("authorization: Bearer x")
logging.getLogger("sqlalchemy.engine").info("[generated] ('u1',)")
"""
    lines = await _lines(program, LOG_LEVEL="DEBUG")

    assert [line["event"] for line in lines] == ["ours"]


async def test_a_librarys_warning_comes_out_in_the_same_format() -> None:
    (line,) = await _lines('logging.getLogger("asyncio").warning("slow %s", "task")')

    assert (line["event"], line["level"], line["logger"]) == ("slow task", "warning", "asyncio")


async def test_what_follows_from_a_clients_bytes_is_silenced() -> None:
    program = """
logging.getLogger("grpclib.server").error("Application error")
logging.getLogger("grpclib.protocol").error("Protocol error")
"""
    assert await _lines(program) == []


async def test_setting_up_twice_writes_each_line_once() -> None:
    program = """
configure_logs(os.environ)
logging.getLogger("asyncio").warning("once")
"""
    assert len(await _lines(program)) == 1


async def test_a_terminal_gets_words_instead_of_json() -> None:
    ours, theirs = pty.openpty()
    try:
        process = await _start('log.info("rpc", code="OK")', theirs, {})
        assert await process.wait() == 0
        written = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)

    assert "rpc" in written
    assert not written.startswith("{")


async def _lines(program: str, **environ: str) -> list[dict[str, Any]]:
    process = await _start(program, asyncio.subprocess.PIPE, environ)
    _, written = await process.communicate()
    assert process.returncode == 0, written
    return [json.loads(line) for line in written.splitlines()]


async def _start(program: str, stderr: int, environ: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM + program,
        stderr=stderr,
        env={**os.environ, "LOG_LEVEL": "", **environ},
    )
