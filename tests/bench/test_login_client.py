"""The process that logs in tells which logins failed, and its end is noticed."""

from collections.abc import AsyncIterator
from itertools import repeat

import aiohttp
import pytest
from aiohttp import web

from bench.line_process import open_line_process
from bench.login_client import LoginFailed, ask_to_enter
from bench.processes import free_port
from bench.shape import PASSWORD

ANA = ("demo", "ana@chain.test")


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def serve(status: int, bodies: list[object]) -> web.AppRunner:
    async def log_in(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/api/v1/auth/login", log_in)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


def target_of(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"{host}:{port}"


async def test_one_logs_in_with_the_password_that_everyone_has(
    http: aiohttp.ClientSession,
) -> None:
    bodies: list[object] = []
    auth = await serve(200, bodies)

    await ask_to_enter(repeat(http), target_of(auth))(ANA)
    await auth.cleanup()

    assert bodies == [{"organization_id": "demo", "email": "ana@chain.test", "password": PASSWORD}]


@pytest.mark.parametrize("status", [204, 401, 429, 503])
async def test_any_status_but_200_is_a_failure_of_that_name(
    http: aiohttp.ClientSession, status: int
) -> None:
    auth = await serve(status, [])

    with pytest.raises(LoginFailed, match=f"^status {status}$"):
        await ask_to_enter(repeat(http), target_of(auth))(ANA)
    await auth.cleanup()


async def test_nobody_there_is_a_failure_too(http: aiohttp.ClientSession) -> None:
    with pytest.raises(LoginFailed, match="ClientConnectorError"):
        await ask_to_enter(repeat(http), f"127.0.0.1:{free_port()}")(ANA)


async def test_a_process_that_has_ended_is_an_error_and_no_empty_answer() -> None:
    async with open_line_process("bench.shape") as ended:
        with pytest.raises(RuntimeError, match="has ended"):
            await ended.ask("anything", timeout_s=30.0)
