"""Starts that were refused with a traceback, in the wrong words, or not at all."""

import asyncio
import os
import signal
import sqlite3
import sys
from contextlib import closing

import pytest

from tests.integration.system.conftest import Place
from tests.processes import ROOT, authctl, run_module, run_services

BOTH = ("authsvc", "catalogsvc")


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"AUTH_MIGRATE_ON_START": "no"}, "AUTH_DATABASE_URL: cannot use "),
        (
            {"AUTH_DATABASE_URL": "postgresql+asyncpg://me@/auth?host=/a&host=/b"},
            "AUTH_DATABASE_URL: cannot open ",
        ),
        (
            {"AUTH_DATABASE_URL": "sqlite+aiosqlite:////tmp/a%00b.db"},
            "AUTH_DATABASE_URL: cannot open ",
        ),
        (
            {"AUTH_DATABASE_URL": "postgresql+asyncpg://me:first@second@127.0.0.1:1/auth"},
            "AUTH_DATABASE_URL: the database URL has a bare @ in its password",
        ),
        (
            {"OTEL_BSP_MAX_QUEUE_SIZE": "-1", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
            "OTEL_BSP_*: max_queue_size ",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "nonsense"}, "OTEL_EXPORTER_OTLP_ENDPOINT: must begin "),
        (
            {"CATALOG_AUTH_CHANNELS_PER_TARGET": "1" + "0" * 22},
            "CATALOG_AUTH_CHANNELS_PER_TARGET: ",
        ),
        ({"AUTH_DEMO": "perhaps"}, "AUTH_DEMO: must be yes or no"),
    ],
    ids=[
        *("no schema", "two hosts", "zero byte", "bare @", "queue size", "endpoint", "channels"),
        "switch",
    ],
)
async def test_a_setting_that_cannot_be_is_one_line_that_names_it(
    place: Place, environ: dict[str, str], reason: str
) -> None:
    code, output = await run_module("svckit", *BOTH, environ={**place.environ, **environ})

    assert (code, output.count("\n")) == (2, 1), output
    assert output.startswith(f"cannot start: {reason}"), output
    assert "second" not in output  # the end of a password


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["uvloop", "sqlalchemy"])
async def test_a_signal_during_the_imports_ends_it_without_a_word(
    place: Place, number: signal.Signals, module: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # It tells on standard error what it has imported, as soon as it has.
        *("-X", "importtime", "-m", "svckit", *BOTH),
        cwd=ROOT,
        env={**os.environ, **place.environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(20):
            while line := await process.stderr.readline():
                if line.endswith(f" {module}\n".encode()):
                    break
            process.send_signal(number)
            output, told = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    words = [line for line in told.splitlines() if not line.startswith(b"import time:")]
    assert (process.returncode, output, words) == (0, b"", [])


async def test_the_demo_on_a_store_with_other_data_starts_and_has_nothing_to_try(
    place: Place,
) -> None:
    (place.folder / "data.jsonl").write_text('{"kind":"organization","id":"o1","name":"Acme"}\n')
    await authctl("import", f"{place.folder}/data.jsonl", environ=place.environ)

    async with run_services("authsvc", environ=place.environ, ports=place.ports[:2]) as running:
        await running.printed("so there are no demo commands to try")
        code = await running.stop()

    assert code == 0
    assert "curl" not in running.output


async def test_a_store_that_cannot_take_the_demo_is_one_line_that_names_it(place: Place) -> None:
    environ = {**place.environ, "AUTH_MIGRATE_ON_START": "no"}
    await authctl("migrate", environ=environ)
    await authctl("export", environ=environ)  # makes the first key, and leaves the store empty
    with closing(sqlite3.connect(place.folder / "auth.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        code, said = await run_module("authsvc", environ={**environ, "LOG_LEVEL": "ERROR"})

    assert (code, said.count("\n")) == (2, 1), said
    assert said.startswith("cannot start: AUTH_DATABASE_URL: cannot use "), said
