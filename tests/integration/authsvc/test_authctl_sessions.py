"""`authctl password` and `authctl sessions`, as an operator uses them."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from authsvc.backend import open_backend
from authsvc.settings import AuthSettings
from tests.processes import ROOT

BOUND_S = 30.0
PASSWORD = "canary-password"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"AUTH_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/auth.db"}


async def authctl(*arguments: str, environ: Mapping[str, str], typed: str = "") -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "authsvc.cli", *arguments),
        cwd=ROOT,
        env={**os.environ, **environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(typed.encode()), BOUND_S)
    return process.returncode or 0, output.decode()


async def log_in(environ: Mapping[str, str]) -> str:
    """The id of a new session of the demo's Ana."""
    async with open_backend(AuthSettings(database_url=environ["AUTH_DATABASE_URL"])) as backend:
        started = await backend.sessions.log_in(
            organization_id="demo", email="ana@demo.test", password=PASSWORD, network="n"
        )
    return started.session.id


async def test_with_a_password_set_the_demo_user_logs_in_and_the_operator_ends_it(
    environ: dict[str, str], tmp_path: Path
) -> None:
    await authctl("demo", environ=environ)

    code, said = await authctl("password", "set", "ana", environ=environ, typed=f"{PASSWORD}\n")
    assert (code, said) == (0, "ana has a new password, and no session any more\n")
    first, second = await log_in(environ), await log_in(environ)
    _, listed = await authctl("sessions", "list", "ana", environ=environ)
    one = await authctl("sessions", "end", "ana", first, environ=environ)
    again = await authctl("sessions", "end", "ana", first, environ=environ)
    rest = await authctl("sessions", "end", "ana", environ=environ)
    _, left = await authctl("sessions", "list", "ana", environ=environ)

    assert {line.split()[0] for line in listed.splitlines()} == {first, second}
    assert one == (0, "ended 1 session of ana\n")
    assert again == (2, "authctl: no such session\n")
    assert rest == (0, "ended 1 session of ana\n")
    assert left == ""
    with sqlite3.connect(tmp_path / "auth.db") as database:
        told = "SELECT actor_kind, action FROM audit WHERE actor_kind <> 'system' ORDER BY id"
        rows = database.execute(told).fetchall()
    assert rows == [
        ("operator", "password.change"),
        ("user", "session.start"),
        ("user", "session.start"),
        ("operator", "session.end"),
        ("operator", "session.end"),
    ]


@pytest.mark.parametrize(
    ("user", "typed", "reason"),
    [
        ("nobody", f"{PASSWORD}\n", "no such user"),
        ("ana", "", "there is no password on standard input"),
        ("ana", "canary\n", "the password is shorter than 8 characters"),
        ("ana", "canary" * 200 + "\n", "the password is longer than 1024 bytes"),
    ],
)
async def test_a_password_that_cannot_be_set_is_one_line_without_it(
    environ: dict[str, str], user: str, typed: str, reason: str
) -> None:
    await authctl("demo", environ=environ)

    code, said = await authctl("password", "set", user, environ=environ, typed=typed)

    assert (code, said) == (2, f"authctl: {reason}\n")
