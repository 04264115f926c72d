"""The processes of a bench: started, waited for, asked, and always ended.

Each writes into a log of its own; when one fails, the end of it is shown.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

__all__ = ["BenchError", "Server", "Processes", "free_port"]

T = TypeVar("T")

ROOT = Path(__file__).parent.parent
START_BOUND_S = 60.0  # a large database is looked through by nobody at the start, but who knows
STOP_BOUND_S = 10.0
LOG_LINES_SHOWN = 15


class BenchError(Exception):
    """The bench cannot go on; the message says why, and what to do where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    target: str
    pid: int


class Processes:
    """Starts them in the project's folder; their logs go to `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = 0

    @asynccontextmanager
    async def serve(
        self, *command: str, environ: Mapping[str, str], port: int
    ) -> AsyncIterator[Server]:
        """`python -m ...`, entered once something listens on `port`, left when it has ended."""
        async with self._run(*command, environ=environ) as (process, log):
            async with asyncio.timeout(START_BOUND_S):
                while not await _is_listening(port):
                    if process.returncode is not None:
                        raise BenchError(f"{command[0]} did not start; it said:\n{_end_of(log)}")
                    await asyncio.sleep(0.02)
            yield Server(target=f"127.0.0.1:{port}", pid=process.pid)

    async def ask(
        self,
        *command: str,
        answer_type: type[T],
        environ: Mapping[str, str] | None = None,
        timeout_s: float,
    ) -> T:
        """What `python -m ...` prints, once it has ended well within `timeout_s`."""
        async with self._run(*command, environ=environ or {}) as (process, log):
            try:
                async with asyncio.timeout(timeout_s):
                    output, _ = await process.communicate()
            except TimeoutError:
                raise BenchError(
                    f"{command[0]} had no result after {timeout_s:.0f} s; is the machine busy with "
                    f"something else? Its log ends:\n{_end_of(log)}"
                ) from None
        if process.returncode != 0:
            raise BenchError(
                f"{command[0]} ended with {process.returncode}; it said:\n{_end_of(log)}"
            )
        return msgspec.json.decode(output, type=answer_type)

    @asynccontextmanager
    async def _run(
        self, *command: str, environ: Mapping[str, str]
    ) -> AsyncIterator[tuple[asyncio.subprocess.Process, Path]]:
        self._started += 1
        log = self._folder / f"{self._started:04}-{command[0]}.log"
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *command),
                cwd=ROOT,
                env={**_own_environ(), **environ},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
            )
        try:
            yield process, log
        finally:
            await _end(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _own_environ() -> dict[str, str]:
    """Without what someone has set for services of their own: both sides run on defaults."""
    foreign = ("AUTH_", "CATALOG_", "OTEL_", "GRPC_", "LOG_LEVEL")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


async def _is_listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        if process.returncode is None:
            process.terminate()
            process.send_signal(signal.SIGCONT)  # it may have been paused, and would not hear us
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_BOUND_S)
    finally:
        # Whoever does not want to wait for it (a second Ctrl-C) leaves no process behind, either.
        with suppress(ProcessLookupError):
            if process.returncode is None:
                process.kill()
        await process.wait()


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    return "\n".join(lines) or "(nothing)"
