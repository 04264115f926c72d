"""A process beside the one that measures, which does as it is told: a line asked, a line answered.

It writes nothing on its own, so it can be ended at any moment.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["LineProcess", "open_line_process"]


class LineProcess:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, line: str, *, timeout_s: float) -> bytes:
        """One at a time. Raises TimeoutError; RuntimeError when it has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n".encode())
        answer = await asyncio.wait_for(self._process.stdout.readline(), timeout_s)
        if not answer:
            raise RuntimeError("it has ended; what it said is above")
        return answer


@asynccontextmanager
async def open_line_process(*command: str) -> AsyncIterator[LineProcess]:
    """`python -m ...`; what it says on standard error goes where ours does."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield LineProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
