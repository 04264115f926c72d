"""Runs any number of services on one event loop, from the first socket to the last log line."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from svckit.service import Service, Serving

__all__ = ["run_services"]


async def run_services(
    services: Sequence[Service], announce: Callable[[Sequence[tuple[str, Serving]]], None]
) -> None:
    """Starts them in order, announces, waits for SIGINT or SIGTERM, stops them in reverse order.

    The second signal finds the system's defaults, so it ends the process at once.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def on_signal() -> None:
        for number in signals:
            loop.remove_signal_handler(number)
            # Python's own default for SIGINT is an exception, which would drain all the same.
            signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in signals:
        loop.add_signal_handler(number, on_signal)
    async with AsyncExitStack() as stack:
        serving: list[tuple[str, Serving]] = []
        for service in services:
            # A signal during a long start is honoured between two services, not within one.
            if stop.is_set():
                return
            serving.append((service.name, await stack.enter_async_context(service.serve())))
        announce(serving)
        await stop.wait()
