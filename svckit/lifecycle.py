"""Runs any number of services on one event loop, from the first socket to the last log line."""

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from svckit.cause import innermost
from svckit.service import Service, Serving

__all__ = ["run_services"]

LOG = logging.getLogger(__name__)


async def run_services(
    services: Sequence[Service], announce: Callable[[Sequence[tuple[str, Serving]]], None]
) -> None:
    """Starts them in order, announces, waits for SIGINT or SIGTERM, stops them in reverse order.

    The second signal finds the system's defaults, so it ends the process at once.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_report)
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


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    exc = context.get("exception")
    if isinstance(exc, asyncio.CancelledError):
        return  # up to Python 3.12 a stream whose task is cancelled calls that an error
    if exc is not None and "client_connected_cb" in context.get("message", ""):
        # Any client can break its connection off, and shall not write a traceback with it.
        LOG.warning("an HTTP connection broke off: %s", type(innermost(exc)).__name__)
        return
    loop.default_exception_handler(context)
