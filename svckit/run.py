"""The entry of a process that hosts services: ready to be told to stop from its first moment."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

__all__ = ["run"]


def run(modules: Sequence[str]) -> NoReturn:
    """Hosts the services and exits."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    # Only now, for it takes a second: who thinks better of it meanwhile leaves cleanly, too.
    from svckit.host import host

    sys.exit(host(modules))


def _leave(_number: int, _frame: object) -> NoReturn:
    # Not sys.exit, whose exception can be lost in the middle of an import. Nothing is open yet.
    os._exit(0)
