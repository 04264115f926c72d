"""`python -m catalogsvc` as a process of its own."""

import asyncio
import sys

from tests.processes import ROOT

BOUND_S = 20.0


async def test_a_wrong_setting_is_one_line_and_exit_code_2() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "catalogsvc"),
        cwd=ROOT,
        env={"CATALOG_HTTP_BIND": "nowhere"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, stderr = await asyncio.wait_for(process.communicate(), BOUND_S)

    assert process.returncode == 2
    assert stderr.decode().startswith("cannot start: CATALOG_HTTP_BIND: ")
    assert stderr.count(b"\n") == 1
