"""No interleaving of writes, reads, delays, cuts, stops and restarts makes a stale yes."""

import asyncio
import os
import sys

import pytest

from tests.processes import ROOT

SEEDS = 200
PARTS = 4
BOUND_S = 300.0


@pytest.mark.parametrize("part", range(PARTS))
async def test_every_promise_holds_in_every_run(part: int) -> None:
    seeds = SEEDS // PARTS
    # Measuring coverage would take three times as long, and the laws have measured it.
    environ = {name: os.environ[name] for name in os.environ if not name.startswith("COV")}
    # In a process of its own, where a seed means the same as when it is run again.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.simulation"),
        *("--seeds", str(seeds), "--from", str(part * seeds)),
        cwd=ROOT,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), BOUND_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert process.returncode == 0, output.decode()
