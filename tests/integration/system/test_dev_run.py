"""`./dev run` and `just run`, as a newcomer starts them, and as a supervisor ends them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest

from tests.integration.system.conftest import Place
from tests.processes import ROOT, STOP_BOUND_S, Running, wait_for_port


@asynccontextmanager
async def run_script(*command: str, place: Place) -> AsyncIterator[Running]:
    """Entered once everything listens; leaves no process of its group behind."""
    environ = {**os.environ, **place.environ}
    # What the script itself sets must come from the script.
    for name in ("AUTH_DEMO", "AUTH_DEMO_CATALOG_URL", "CATALOG_DEMO"):
        environ.pop(name, None)
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    running = Running(process)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(running.read_output())
        try:
            for port in place.ports:
                await wait_for_port(port, running)
            yield running
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


@pytest.fixture(autouse=True)
def a_venv_that_the_script_will_not_make_anew() -> None:
    made_from = (ROOT / ".venv" / ".made-from-lock").read_bytes()
    assert made_from == (ROOT / "requirements.lock").read_bytes(), "run ./dev --set-up-only first"


async def test_dev_run_serves_the_commands_it_prints_and_ends_cleanly(place: Place) -> None:
    async with run_script("./dev", "run", place=place) as running:
        await running.printed("authctl revoke")
        url = f"http://127.0.0.1:{place.catalog_port}/readyz"
        async with aiohttp.ClientSession() as http, http.get(url) as ready:
            pass
        code = await running.stop()

    assert (ready.status, code) == (200, 0)
    assert f" http://127.0.0.1:{place.catalog_port}/api/v1/locals/centro/" in running.output
    assert f"'http://127.0.0.1:{place.auth_port}/api/v1/locals/norte/" in running.output
    assert "Traceback" not in running.output


async def test_just_run_leaves_nothing_behind_when_it_is_ended(place: Place) -> None:
    async with run_script(".venv/bin/just", "run", place=place) as running:
        await running.printed("authctl revoke")
        await running.stop()

        async with asyncio.timeout(STOP_BOUND_S):
            for port in place.ports:
                await wait_until_nobody_listens(port)


async def wait_until_nobody_listens(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        writer.close()
        await asyncio.sleep(0.02)
