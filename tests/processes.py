"""Real processes for tests: started on free ports, waited for, and always ended."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

__all__ = ["ROOT", "free_port", "run_services", "Running", "authctl", "run_module", "wait_for_port"]

ROOT = Path(__file__).parent.parent
START_BOUND_S = 20.0
STOP_BOUND_S = 15.0


class Running:
    """A process of `python -m svckit ...`; `output` grows as it prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.output = ""
        self._grew = asyncio.Event()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal and gives the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), STOP_BOUND_S)

    async def read_output(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.output += line.decode()
            self._grew.set()

    async def printed(self, text: str) -> None:
        """Waits until it has printed `text`."""
        async with asyncio.timeout(START_BOUND_S):
            while text not in self.output:
                self._grew.clear()
                await self._grew.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def run_services(
    *modules: str, environ: Mapping[str, str], ports: tuple[int, ...]
) -> AsyncIterator[Running]:
    """Entered once something listens on each of `ports`; left when the process has ended."""
    process = await _start("svckit", *modules, environ=environ)
    running = Running(process)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(running.read_output())
        try:
            for port in ports:
                await wait_for_port(port, running)
            yield running
        finally:
            if process.returncode is None:
                process.terminate()
                with suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), STOP_BOUND_S)
            if process.returncode is None:
                process.kill()
                await process.wait()


async def wait_for_port(port: int, running: Running) -> None:
    async with asyncio.timeout(START_BOUND_S):
        while True:
            assert running.process.returncode is None, f"it ended early:\n{running.output}"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            writer.close()
            return


async def authctl(*arguments: str, environ: Mapping[str, str]) -> tuple[int, str]:
    """Exit code, and standard output and error together."""
    return await run_module("authsvc.cli", *arguments, environ=environ)


async def run_module(*arguments: str, environ: Mapping[str, str]) -> tuple[int, str]:
    """`python -m ...` to its end: exit code, and standard output and error together.

    One that should have ended and goes on is killed.
    """
    process = await _start(*arguments, environ=environ)
    try:
        output, _ = await asyncio.wait_for(process.communicate(), START_BOUND_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, output.decode()


async def _start(*arguments: str, environ: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", *arguments),
        cwd=ROOT,
        # Not measured: it would take twice as long, and what they run is run by other tests too.
        env={**{n: v for n, v in os.environ.items() if not n.startswith("COV")}, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
